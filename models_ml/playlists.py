"""Playlists: from candidates to thirty tracks in order, with scores, reasons and what gave way.

Belongs here: joining ranking, assembly, arrangement and explanation, block by block, into the two tables.
Does not: any of those steps itself.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pyarrow as pa

from models_ml.ablated import ABLATED_SCHEMA, ablated_table, spoken_for
from models_ml.arrangement import arrange, spread_early
from models_ml.arrays import Bools, Floats, Ints, Progress, in_order, silent, worker_count
from models_ml.assembly import PLAYLIST_LENGTH, AssemblyParams, Draws, draw, is_full
from models_ml.calibration import Calibration, MixDraw
from models_ml.candidates import CandidateParams, CandidateSources
from models_ml.collaborative import CollaborativeFactors
from models_ml.eligibility import any_credit_among, editions_for
from models_ml.errors import InputError
from models_ml.evidence import Content, content_scores
from models_ml.exploration.arms import Exploration
from models_ml.features import WeekFeatures
from models_ml.flow import ArrangementParams, Flow
from models_ml.giving_way import draw_giving_way
from models_ml.near_duplicates import without_sounds_of
from models_ml.playlist_tables import (
    MIXES_SCHEMA,
    RANKED_SCHEMA,
    RELAXATIONS_SCHEMA,
    SLOTS_SCHEMA,
    PlaylistTables,
    by_listener,
    chance_columns,
    logged_table,
    mixes_table,
    ranked_table,
    relaxation_table,
)
from models_ml.pools import Pool, from_batch, merged
from models_ml.ranker.features import RANKING_FEATURES_SCHEMA, CandidateFeatures, Featured
from models_ml.ranker.tables import Ranker
from models_ml.ranking import Components, ContentScores, RankingParams, score
from models_ml.reasons import ReasonChoice, ReasonParams
from models_ml.rules import NEW_RELEASE, SOURCE_BITS
from models_ml.serving import ServingParams, pull_left
from models_ml.slates import (
    FAR,
    LaidOut,
    RankedPool,
    drawn_first,
    goes_first,
    in_slate,
    left_to_chance,
    places_of,
    slate_of,
    worth,
)
from models_ml.slot_rows import SlotRows

NO_CONTENT = Content()


@dataclass(frozen=True)
class Learning:
    """What candidates are scored with, whose are kept to learn from, and what reasons led to.

    ranker: None: by the linear score.  logged: (n,) True for listeners whose candidates' features are kept.
    lifts: of read_lifts, None where nothing is known of reasons.
    """

    ranker: Ranker | None
    logged: Bools
    lifts: Floats | None = None


@dataclass(frozen=True)
class PlaylistParams:
    """Everything between candidates and playlists."""

    candidates: CandidateParams = field(default_factory=CandidateParams)
    ranking: RankingParams = field(default_factory=RankingParams)
    assembly: AssemblyParams = field(default_factory=AssemblyParams)
    serving: ServingParams = field(default_factory=ServingParams)
    arrangement: ArrangementParams = field(default_factory=ArrangementParams)
    reasons: ReasonParams = field(default_factory=ReasonParams)
    threads: int = field(
        default=0,
        metadata={"unit": "threads", "min": 0, "max": 256, "doc": "Blocks made side by side; 0: one a core."},
    )


class Maker(Protocol):
    """Makes the playlists of blocks of listeners."""

    @property
    def listener_count(self) -> int:
        """Listeners of the week."""

    @property
    def workers(self) -> int:
        """Blocks made side by side."""

    def batch(self, batch: pa.RecordBatch) -> tuple[PlaylistTables, Ints]:
        """(playlists, user_index) of one batch of the candidates table."""


def build_playlists(
    maker: Maker,
    batches: Iterable[pa.RecordBatch],
    progress: Progress = silent,
    keep: Callable[[pa.Table], None] | None = None,
    keep_logged: Callable[[pa.Table], None] | None = None,
) -> PlaylistTables:
    """Playlists of all listeners with candidates; see PlaylistTables.

    batches: of the candidates table, in its order.
    keep: takes each block of the slots instead, so that memory does not grow with the listeners; keep_logged the same
    of the features that are kept.
    """
    slots, relaxations = [SLOTS_SCHEMA.empty_table()], [RELAXATIONS_SCHEMA.empty_table()]
    ranked, mixes = [RANKED_SCHEMA.empty_table()], [MIXES_SCHEMA.empty_table()]
    logged, ablated = [RANKING_FEATURES_SCHEMA.empty_table()], [ABLATED_SCHEMA.empty_table()]
    keep, keep_logged = keep or slots.append, keep_logged or logged.append
    for block in playlist_blocks(maker, batches, progress):
        keep(block.slots)
        keep_logged(block.logged)
        relaxations.append(block.relaxations)
        ranked.append(block.ranked)
        mixes.append(block.mixes)
        ablated.append(block.ablated)
    whole = PlaylistTables(*map(pa.concat_tables, (slots, relaxations, ranked, mixes, logged, ablated)))
    return replace(whole, ablated=spoken_for(whole.ablated))


def playlist_blocks(
    maker: Maker, batches: Iterable[pa.RecordBatch], progress: Progress = silent
) -> Iterator[PlaylistTables]:
    """The playlists of one batch of the candidates table after the other, so that memory does not grow with them."""
    done, last = 0, -1
    for made, user_index in in_order(maker.batch, batches, maker.workers):
        wrong = np.flatnonzero(np.diff(user_index, prepend=last) <= 0)
        if len(wrong):
            row, value = done + int(wrong[0]), int(user_index[wrong[0]])
            raise InputError(f"candidates: user_index {value} in row {row} is out of order; sort, one row each")
        yield made
        done += len(user_index)
        last = int(user_index[-1]) if len(user_index) else last
        progress(f"playlists: {done:,} of {maker.listener_count:,} listeners")


class PlaylistMaker:
    """Makes the playlists of a block of listeners."""

    def __init__(
        self,
        features: WeekFeatures,
        factors: CollaborativeFactors,
        params: PlaylistParams,
        content: Content = NO_CONTENT,
        calibration: Calibration | None = None,
        exploration: Exploration | None = None,
        learning: Learning | None = None,
        ablated: Bools | None = None,
    ) -> None:
        """The week, and how its playlists are made.

        calibration: None where no genre is known.  exploration: None where nothing is left to chance.
        learning: None where nothing was learnt and nothing will be.
        ablated: (n,) True for listeners whose best by each family of the score are kept; None: nobody's.
        """
        self._calibration = calibration
        self._exploration = exploration
        nobody = np.zeros(features.listener_count, dtype=bool)
        self._learning = learning or Learning(None, nobody)
        self._ablated = nobody if ablated is None else ablated
        self._featured = CandidateFeatures(features, factors, content, calibration.genres if calibration else None)
        self._features = features
        self._factors = factors
        self._content = content
        self._params = params
        self._pull, self._reach = pull_left(features.recordings.idle_days, params.serving), factors.reach
        # Blocks run side by side.
        self._sources = CandidateSources(features, factors, params.candidates, exploration=exploration, threads=1)
        self._flow = Flow(factors.served, content.sounds, params.arrangement)
        self._rows = SlotRows(
            features,
            factors,
            content,
            calibration.genres if calibration else None,
            self._learning.ranker,
            params.candidates.fresh_days,
            ReasonChoice(params.reasons, self._learning.lifts),
        )

    @property
    def listener_count(self) -> int:
        """Listeners of the week."""
        return self._features.listener_count

    @property
    def workers(self) -> int:
        """Blocks made side by side."""
        return worker_count(self._params.threads)

    def batch(self, batch: pa.RecordBatch) -> tuple[PlaylistTables, Ints]:
        """(playlists, user_index) of one batch of the candidates table."""
        listeners, pool = from_batch(batch)
        return self.block(listeners, pool), listeners

    def features_of(self, listeners: Ints, pool: Pool) -> pa.Table:
        """The features that are kept of these listeners' candidates, where none of them is given."""
        rows = np.arange(len(listeners))
        return self._logged(listeners, rows, self._ranked(listeners, pool), SLOTS_SCHEMA.empty_table())

    def block(self, listeners: Ints, pool: Pool) -> PlaylistTables:
        """Playlists of these listeners, searched for deeper where the list can't be filled."""
        laid = self._laid_out(listeners, pool)
        draws = self._drawn(laid)
        full, short = np.flatnonzero(is_full(draws.picks)), np.flatnonzero(~is_full(draws.picks))
        at_once = self._tables(listeners, laid, draws, full)
        if not len(short):
            return at_once
        depth = self._params.assembly.deep_candidate_count
        deeper = self._sources.find_deeper(listeners[short], depth, top_up=True)
        recordings, kept = left_to_chance(laid, draws, short)
        deeper = without_sounds_of(deeper, kept, self._features.sound_of)
        given_way = self._given_way(listeners[short], merged([deeper, kept]), draws.rows(short), recordings)
        return by_listener(at_once, given_way)

    def _given_way(self, listeners: Ints, pool: Pool, drawn: Draws, kept: Ints) -> PlaylistTables:
        """Playlists for which soft rules give way, and rows of what gave way.

        drawn: what came of these lists at first.  kept: (b, 30) what chance drew then, which stays whatever gives way.
        """
        laid = self._laid_out(listeners, pool)
        drawn = replace(drawn, picks=places_of(laid, kept))
        draws, relaxations = draw_giving_way(laid.to_draw_from(), self._params.assembly, drawn)
        draws = in_slate(laid.first, draws)
        tables = self._tables(listeners, laid, draws, np.arange(len(listeners)))
        return replace(tables, relaxations=relaxation_table(listeners, relaxations, draws.picks, laid.slate))

    def _tables(self, listeners: Ints, laid: LaidOut, draws: Draws, rows: Ints) -> PlaylistTables:
        """Slots of the full lists among these rows, no relaxations, and the ranking of all of them."""
        full = rows[is_full(draws.picks[rows])]
        draws = draws.rows(full).by_place()
        chosen = np.take_along_axis(laid.order[full], draws.picks, axis=1) if len(full) else draws.picks
        slots = self._slots(listeners, full, laid, chosen, draws)
        return PlaylistTables(
            slots,
            RELAXATIONS_SCHEMA.empty_table(),
            ranked_table(listeners, laid, rows),
            self._mixes(listeners, full, laid, chosen),
            self._logged(listeners, rows, laid.ranked, slots),
            ablated_table(listeners, laid.ranked, rows, self._ablated),
        )

    def _logged(self, listeners: Ints, rows: Ints, ranked: RankedPool, slots: pa.Table) -> pa.Table:
        """Features of the candidates of sampled listeners among these rows, and where those given stand."""
        featured, pool = ranked.featured, ranked.pool
        sampled = np.zeros(len(listeners), dtype=bool)
        sampled[rows] = self._learning.logged[listeners[rows]]
        kept = np.flatnonzero(sampled[pool.rows[featured.places]])
        places, count = featured.places[kept], self._features.recording_count
        owners, recordings = listeners[pool.rows[places]], pool.recordings[places].astype(np.int64)
        given = slots["user_index"].to_numpy().astype(np.int64) * count + slots["recording_index"].to_numpy()
        order = np.argsort(given, kind="stable")
        at = np.searchsorted(given[order], owners * count + recordings)
        position = np.full(len(places), np.nan)
        hit = np.flatnonzero(np.append(given[order], -1)[at] == owners * count + recordings)
        position[hit] = slots["position"].to_numpy()[order[at[hit]]]
        ids = self._features.user_id.take(owners), self._features.recordings.recording_id.take(recordings)
        rungs = self._rows.track_rungs(owners, recordings, np.ones(len(owners), dtype=bool))
        return logged_table(*ids, featured.values[kept], position, rungs, featured.linear_score[kept])

    def _mixes(self, listeners: Ints, full: Ints, laid: LaidOut, chosen: Ints) -> pa.Table:
        """A row of each full list.  chosen: (lists, 30) places in the pool."""
        if self._calibration is None or not len(full):
            return mixes_table(listeners[full])
        recordings = laid.ranked.pool.recordings[chosen]
        return mixes_table(
            listeners[full], self._calibration.measured(self._features.interactions, listeners[full], recordings)
        )

    def _laid_out(self, listeners: Ints, pool: Pool) -> LaidOut:
        ranked = self._ranked(listeners, pool)
        slate, order = slate_of(self._features, ranked, len(listeners))
        new = (ranked.pool.sources & np.uint8(SOURCE_BITS[NEW_RELEASE])) > 0
        reserved = new[order] & slate.valid if len(ranked.pool) else slate.valid
        value, rules = worth(ranked, order), self._params.assembly
        if self._calibration is None or not len(ranked.pool):
            first = goes_first(reserved, value, rules.new_release_slots)
            return self._with_lots(listeners, LaidOut(ranked, slate, order, drawn_first(first)), first)
        recordings = ranked.pool.recordings[order]
        mix = self._calibration.mix(self._features.interactions, listeners, recordings, value)
        reserved &= mix.cared_for(rules.new_release_genre_share)
        first = goes_first(reserved, MixDraw(mix, PLAYLIST_LENGTH).values(), rules.new_release_slots)
        drawn_in = None
        if rules.calibration_weight or rules.popularity_calibration_weight:
            slate = replace(slate, mix=replace(mix, score=mix.score + FAR * first))
        else:
            drawn_in = drawn_first(first)
        return self._with_lots(listeners, LaidOut(ranked, slate, order, drawn_in, mix.taste), first)

    def _with_lots(self, listeners: Ints, laid: LaidOut, first: Bools) -> LaidOut:
        """The same, with what is left to chance.  first: (b, K) True for what has slots of its own."""
        if self._exploration is None or not len(laid.ranked.pool):
            return laid
        score, recordings = worth(laid.ranked, laid.order), laid.ranked.pool.recordings[laid.order]
        spread = laid.ranked.components.final[laid.order], laid.slate.valid
        lots = self._exploration.lots(listeners, recordings, score, score + FAR * first, spread, laid.taste)
        return replace(laid, slate=replace(laid.slate, lots=lots))

    def _drawn(self, laid: LaidOut) -> Draws:
        """Places in the slate, in the order they were drawn."""
        return in_slate(laid.first, draw(laid.to_draw_from(), self._params.assembly))

    def _ranked(self, listeners: Ints, pool: Pool) -> RankedPool:
        features, owners = self._features, listeners[pool.rows]
        edition = editions_for(features, owners, pool.recordings)
        personal = pool.is_personal()
        content = content_scores(self._factors, self._content, listeners, pool, self._params.ranking)
        components = score(
            features,
            owners,
            pool.recordings,
            pool.scores,
            personal,
            self._params.ranking,
            self._pull,
            self._reach,
            content,
        )
        known = any_credit_among(features.known_artists, features.editions.credits, owners, edition)
        featured = self._features_of(listeners, pool, content, ~known, components)
        if self._learning.ranker is not None:
            components = components.learned(featured.places, self._learning.ranker.contributions(featured.values))
        return RankedPool(pool, edition, components, ~known, personal, featured)

    def _features_of(
        self, listeners: Ints, pool: Pool, content: ContentScores, is_new: Bools, linear: Components
    ) -> Featured:
        """Features of what the listeners' own vectors found: of all where a ranker scores them, else of the sample."""
        asked = pool.is_personal()
        if self._learning.ranker is None:
            asked &= self._learning.logged[listeners[pool.rows]]
        places = np.flatnonzero(asked)
        if not len(places):
            return Featured.nothing()
        return self._featured.of(listeners, pool, places, content, is_new, linear.final)

    def _slots(self, listeners: Ints, full: Ints, laid: LaidOut, chosen: Ints, draws: Draws) -> pa.Table:
        """Rows of the full lists, in the order heard.  chosen: (lists, 30) places in the pool, best first."""
        ranked = laid.ranked
        artists = self._features.editions.artist[ranked.edition[chosen]]
        order = self._arranged(artists, ranked.pool.recordings[chosen], draws.arm >= 0)
        chances = self._chances(laid, full, draws.ordered(order))
        return self._rows.of(listeners[full], ranked, np.take_along_axis(chosen, order, axis=1), chances)

    def _arranged(self, artists: Ints, recordings: Ints, for_arms: Bools) -> Ints:
        """(lists, 30) places in the order heard.  for_arms: (lists, 30) True for slots that went to arms."""
        weight = self._params.arrangement.flow_weight
        within = self._exploration.params.heard_within if self._exploration else 0
        latest = spread_early(for_arms, within) if within else None
        return arrange(artists, self._flow.gaps(recordings) if weight else None, weight, latest)

    def _chances(self, laid: LaidOut, full: Ints, draws: Draws) -> dict[str, pa.Array]:
        """What chance had to do with each slot of the full lists."""
        if self._exploration is None:
            no_arms = np.zeros((len(full), 0))
            return chance_columns(draws, pa.array([], pa.string()), pa.nulls(len(full), pa.string()), no_arms)
        arms, taste = self._exploration.arms, np.zeros((len(full), 0)) if laid.taste is None else laid.taste[full]
        return chance_columns(draws, arms.names, arms.segments_of(taste), arms.chance[arms.segment(taste)])
