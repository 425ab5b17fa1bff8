"""Playlists: from candidates to thirty tracks in order, with scores, reasons and what gave way.

Belongs here: joining ranking, assembly, arrangement and explanation, block by block, into the two tables.
Does not: any of those steps itself.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from models_ml.arrangement import arrange
from models_ml.arrays import Bools, Floats, Ints, Progress, in_order, place_in_row, silent, worker_count
from models_ml.assembly import (
    PLAYLIST_LENGTH,
    AssemblyParams,
    Relaxations,
    Slate,
    draw,
    draw_giving_way,
    is_full,
)
from models_ml.candidates import CandidateParams, CandidateSources
from models_ml.collaborative import CollaborativeFactors
from models_ml.eligibility import any_credit_among, editions_for
from models_ml.errors import InputError
from models_ml.explanation import Explainer, reason_codes
from models_ml.features import WeekFeatures
from models_ml.pools import Pool, from_batch
from models_ml.ranking import Components, RankingParams, score
from models_ml.rules import COLLABORATIVE, POPULAR, SOURCES, TOO_FEW_TRACKS
from models_ml.serving import ServingParams, pull_left

SLOTS_SCHEMA = pa.schema(
    {
        "user_index": pa.int32(),
        "position": pa.int8(),
        "recording_index": pa.int32(),
        "edition_index": pa.int32(),
        "listener_rung": pa.string(),
        "track_rung": pa.string(),
        "candidate_sources": pa.list_(pa.string()),
        "primary_source": pa.string(),
        "is_new_artist": pa.bool_(),
        "artist_prior_plays": pa.int64(),
        "popularity_percentile": pa.float64(),
        "final_score": pa.float64(),
        "contribution_collaborative": pa.float64(),
        "contribution_artist_affinity": pa.float64(),
        "contribution_popularity": pa.float64(),
        "contribution_freshness": pa.float64(),
        "reason_code": pa.string(),
        "anchor_recording_index": pa.int32(),
    }
)
RELAXATIONS_SCHEMA = pa.schema(
    {
        "user_index": pa.int32(),
        "rule_id": pa.string(),
        "step": pa.int32(),
        "limit_from": pa.float64(),
        "limit_to": pa.float64(),
    }
)

RANKED_SCHEMA = pa.schema({"user_index": pa.int32(), "position": pa.int32(), "recording_index": pa.int32()})


@dataclass(frozen=True)
class PlaylistParams:
    """Everything between candidates and playlists."""

    candidates: CandidateParams = field(default_factory=CandidateParams)
    ranking: RankingParams = field(default_factory=RankingParams)
    assembly: AssemblyParams = field(default_factory=AssemblyParams)
    serving: ServingParams = field(default_factory=ServingParams)
    threads: int = field(
        default=0,
        metadata={"unit": "threads", "min": 0, "max": 256, "doc": "Blocks made side by side; 0: one a core."},
    )


@dataclass(frozen=True)
class PlaylistTables:
    """slots: one row per listener and position (SLOTS_SCHEMA); thirty a listener or none.

    relaxations: one row per listener, rule and step that gave way, and one too_few_tracks row for each
    listener without a playlist (RELAXATIONS_SCHEMA).
    ranked: the thirty best of each listener before any cap or soft rule (RANKED_SCHEMA).
    """

    slots: pa.Table
    relaxations: pa.Table
    ranked: pa.Table


@dataclass(frozen=True)
class RankedPool:
    """A pool with the edition, score components and newness of each candidate."""

    pool: Pool
    edition: Ints
    components: Components
    is_new: Bools
    personal: Bools


@dataclass(frozen=True)
class LaidOut:
    """A ranked pool as a grid.  order: (b, K) place in the pool of each entry of the slate, best first."""

    ranked: RankedPool
    slate: Slate
    order: Ints


def build_playlists(
    features: WeekFeatures,
    factors: CollaborativeFactors,
    batches: Iterable[pa.RecordBatch],
    params: PlaylistParams,
    progress: Progress = silent,
    keep: Callable[[pa.Table], None] | None = None,
) -> PlaylistTables:
    """Playlists of all listeners with candidates; see PlaylistTables.

    batches: of the candidates table, in its order.
    keep: takes each block of the slots instead, so that memory does not grow with the listeners.
    """
    slots, relaxations = [SLOTS_SCHEMA.empty_table()], [RELAXATIONS_SCHEMA.empty_table()]
    ranked = [RANKED_SCHEMA.empty_table()]
    keep = keep or slots.append
    for block in playlist_blocks(features, factors, batches, params, progress):
        keep(block.slots)
        relaxations.append(block.relaxations)
        ranked.append(block.ranked)
    return PlaylistTables(*map(pa.concat_tables, (slots, relaxations, ranked)))


def playlist_blocks(
    features: WeekFeatures,
    factors: CollaborativeFactors,
    batches: Iterable[pa.RecordBatch],
    params: PlaylistParams,
    progress: Progress = silent,
) -> Iterator[PlaylistTables]:
    """The playlists of one batch of the candidates table after the other, so that memory does not grow with them."""
    maker = PlaylistMaker(features, factors, params)
    done, last = 0, -1
    for made, user_index in in_order(maker.batch, batches, worker_count(params.threads)):
        wrong = np.flatnonzero(np.diff(user_index, prepend=last) <= 0)
        if len(wrong):
            row, value = done + int(wrong[0]), int(user_index[wrong[0]])
            raise InputError(f"candidates: user_index {value} in row {row} is out of order; sort, one row each")
        yield made
        done += len(user_index)
        last = int(user_index[-1]) if len(user_index) else last
        progress(f"playlists: {done:,} of {features.listener_count:,} listeners")


class PlaylistMaker:
    """Makes the playlists of a block of listeners."""

    def __init__(self, features: WeekFeatures, factors: CollaborativeFactors, params: PlaylistParams) -> None:
        """The week, and how its playlists are made."""
        self._features = features
        self._params = params
        self._pull = pull_left(features.recordings.idle_days, params.serving)
        self._sources = CandidateSources(features, factors, params.candidates)
        self._explainer = Explainer(factors, features.interactions, threads=1)  # blocks run side by side

    def batch(self, batch: pa.RecordBatch) -> tuple[PlaylistTables, Ints]:
        """(playlists, user_index) of one batch of the candidates table."""
        listeners, has_vector, pool = from_batch(batch)
        return self.block(listeners, has_vector, pool), listeners

    def block(self, listeners: Ints, has_vector: Bools, pool: Pool) -> PlaylistTables:
        """Playlists of these listeners, searched for deeper where the list can't be filled."""
        laid = self._laid_out(listeners, pool)
        picks = draw(laid.slate, self._params.assembly)
        full, short = np.flatnonzero(is_full(picks)), np.flatnonzero(~is_full(picks))
        at_once = self._tables(listeners, has_vector, laid, picks, full)
        if not len(short):
            return at_once
        depth = self._params.assembly.deep_candidate_count
        deeper = self._sources.find_deeper(listeners[short], depth, top_up=True)
        return _by_listener(at_once, self._given_way(listeners[short], has_vector[short], deeper))

    def _given_way(self, listeners: Ints, has_vector: Bools, pool: Pool) -> PlaylistTables:
        """Playlists for which soft rules give way, and rows of what gave way."""
        laid = self._laid_out(listeners, pool)
        picks, relaxations = draw_giving_way(laid.slate, self._params.assembly)
        tables = self._tables(listeners, has_vector, laid, picks, np.arange(len(listeners)))
        return replace(tables, relaxations=_relaxation_table(listeners, relaxations, picks, laid.slate))

    def _tables(self, listeners: Ints, has_vector: Bools, laid: "LaidOut", picks: Ints, rows: Ints) -> PlaylistTables:
        """Slots of the full lists among these rows, no relaxations, and the ranking of all of them."""
        full = rows[is_full(picks[rows])]
        chosen = np.take_along_axis(laid.order[full], picks[full], axis=1) if len(full) else picks[full]
        return PlaylistTables(
            self._slots(listeners, full, has_vector, laid.ranked, chosen),
            RELAXATIONS_SCHEMA.empty_table(),
            _ranked_table(listeners, laid, rows),
        )

    def _laid_out(self, listeners: Ints, pool: Pool) -> "LaidOut":
        ranked = self._ranked(listeners, pool)
        slate, order = _slate(self._features, ranked, len(listeners))
        return LaidOut(ranked, slate, order)

    def _ranked(self, listeners: Ints, pool: Pool) -> RankedPool:
        features, owners = self._features, listeners[pool.rows]
        edition = editions_for(features, owners, pool.recordings)
        personal = pool.is_personal()
        components = score(features, owners, pool.recordings, pool.scores, personal, self._params.ranking, self._pull)
        known = any_credit_among(features.known_artists, features.editions.credits, owners, edition)
        return RankedPool(pool, edition, components, ~known, personal)

    def _slots(self, listeners: Ints, full: Ints, has_vector: Bools, ranked: RankedPool, chosen: Ints) -> pa.Table:
        """Rows of the full lists, in the order heard.  chosen: (lists, 30) places in the pool, best first."""
        features = self._features
        heard_order = arrange(features.editions.artist[ranked.edition[chosen]])
        places = np.take_along_axis(chosen, heard_order, axis=1)
        owners = np.repeat(listeners[full], PLAYLIST_LENGTH)
        flat = places.ravel()
        recordings = ranked.pool.recordings[flat]
        personal = ranked.personal[flat]
        components = ranked.components.take(flat)
        anchor = self._anchors(listeners[full], recordings, personal)
        lists = features.popular_list[owners]
        reasons = reason_codes(
            self._as_evidence(components, recordings),
            anchor,
            features.popular.is_popular(lists, recordings, own_only=True),
            features.popular.is_popular(lists, recordings, own_only=False),
        )
        artist = features.editions.artist[ranked.edition[flat]]
        columns = {
            "user_index": owners.astype(np.int32),
            "position": np.tile(np.arange(1, PLAYLIST_LENGTH + 1, dtype=np.int8), len(full)),
            "recording_index": recordings.astype(np.int32),
            "edition_index": ranked.edition[flat].astype(np.int32),
            "listener_rung": _rung(np.repeat(has_vector[full], PLAYLIST_LENGTH)),
            "track_rung": _rung(personal),
            "candidate_sources": _source_lists(ranked.pool.sources[flat]),
            "primary_source": _primary_source(ranked.pool.sources[flat]),
            "is_new_artist": ranked.is_new[flat],
            "artist_prior_plays": _prior_plays(features, owners, artist),
            "popularity_percentile": features.recordings.popularity_percentile[recordings],
            "final_score": components.final,
            "contribution_collaborative": components.collaborative,
            "contribution_artist_affinity": components.artist_affinity,
            "contribution_popularity": components.popularity,
            "contribution_freshness": components.freshness,
            "reason_code": pa.array(reasons, pa.string()),
            "anchor_recording_index": pa.array(anchor, pa.int32(), mask=anchor < 0),
        }
        return pa.table(columns, schema=SLOTS_SCHEMA)

    def _as_evidence(self, components: Components, recordings: Ints) -> Components:
        """The components as reasons: freshness fades and never ends, but an old release isn't a new one."""
        fresh = self._features.recordings.age_days[recordings] <= self._params.candidates.fresh_days
        return replace(components, freshness=np.where(fresh, components.freshness, 0.0))

    def _anchors(self, listeners: Ints, recordings: Ints, personal: Bools) -> Ints:
        """(c,) heard recording behind each personal track, -1 where none."""
        asked = np.where(personal, recordings, -1).reshape(-1, PLAYLIST_LENGTH)
        return self._explainer.anchors(listeners, asked).recording.ravel()


def _slate(features: WeekFeatures, ranked: RankedPool, row_count: int) -> tuple[Slate, Ints]:
    """(slate, (b, K) place in the pool of each entry), as `best_first_grid` has them."""
    grid, valid = best_first_grid(ranked.pool, ranked.components.final, ranked.personal, row_count)
    if not len(ranked.pool):
        nothing = np.zeros(grid.shape, dtype=np.int32)
        return Slate(nothing, nothing, valid, valid), grid
    edition = ranked.edition[grid]
    slate = Slate(features.editions.artist[edition], features.editions.album[edition], ranked.is_new[grid], valid)
    return slate, grid


def best_first_grid(pool: Pool, final: Floats, personal: Bools, row_count: int) -> tuple[Ints, Bools]:
    """((b, K) places in the pool, which of them hold one): personal ones first, then by score, recording."""
    place = place_in_row(pool.rows)
    shape = (row_count, int(place.max(initial=-1)) + 1)
    grid, fill = np.zeros(shape, dtype=np.int64), pool.lengths(row_count)
    worse, ordinary = np.full(shape, np.inf), np.ones(shape, dtype=bool)
    grid[pool.rows, place] = np.arange(len(pool))
    worse[pool.rows, place] = -final
    ordinary[pool.rows, place] = ~personal
    valid = np.arange(shape[1]) < fill[:, None]
    # A row is in the order of its recordings, and stable sorting keeps that among equals.
    by_score = np.argsort(worse, axis=1, kind="stable")
    personal_first = np.argsort(np.take_along_axis(ordinary, by_score, axis=1), axis=1, kind="stable")
    grid = np.take_along_axis(grid, np.take_along_axis(by_score, personal_first, axis=1), axis=1)
    return grid, valid


def _by_listener(some: PlaylistTables, others: PlaylistTables) -> PlaylistTables:
    """Both as one, each table in the order of the listeners."""
    slots, relaxations, ranked = (
        pa.concat_tables([getattr(some, name), getattr(others, name)]) for name in ("slots", "relaxations", "ranked")
    )
    keys = [("user_index", "ascending"), ("position", "ascending")]
    return PlaylistTables(slots.sort_by(keys), relaxations, ranked.sort_by(keys))


def _ranked_table(listeners: Ints, laid: LaidOut, rows: Ints) -> pa.Table:
    """The best of each listener among these rows, by score alone."""
    row, place = np.nonzero(laid.slate.valid[rows, :PLAYLIST_LENGTH])
    columns = {
        "user_index": listeners[rows[row]].astype(np.int32),
        "position": (place + 1).astype(np.int32),
        "recording_index": laid.ranked.pool.recordings[laid.order[rows[row], place]].astype(np.int32),
    }
    return pa.table(columns, schema=RANKED_SCHEMA)


def _relaxation_table(listeners: Ints, relaxations: Relaxations, picks: Ints, slate: Slate) -> pa.Table:
    """Rows of what gave way and of who has too few tracks, by listener and step."""
    short = np.flatnonzero(~is_full(picks))
    passed = slate.valid.sum(axis=1)[short]
    columns = {
        "user_index": listeners[np.concatenate([relaxations.rows, short])].astype(np.int32),
        "rule_id": pa.array([*relaxations.rule_id, *[TOO_FEW_TRACKS] * len(short)], pa.string()),
        "step": np.concatenate([relaxations.step, np.ones(len(short))]).astype(np.int32),
        "limit_from": np.concatenate([relaxations.limit_from, np.full(len(short), float(PLAYLIST_LENGTH))]),
        "limit_to": np.concatenate([relaxations.limit_to, passed.astype(np.float64)]),
    }
    table = pa.table(columns, schema=RELAXATIONS_SCHEMA)
    return table.sort_by([("user_index", "ascending"), ("step", "ascending")])


def _rung(personal: Bools) -> pa.Array:
    return pa.array([POPULAR, COLLABORATIVE]).take(pa.array(personal.astype(np.int8)))


def _source_lists(bits: Ints) -> pa.Array:
    """The names of the sources behind each bit mask."""
    names = [[name for bit, name in enumerate(SOURCES) if mask >> bit & 1] for mask in range(1 << len(SOURCES))]
    return pa.array(names, pa.list_(pa.string())).take(pa.array(bits))


def _primary_source(bits: Ints) -> pa.Array:
    """The first source of each bit mask."""
    names = [next((name for bit, name in enumerate(SOURCES) if mask >> bit & 1), None) for mask in range(1 << 3)]
    return pa.array(names, pa.string()).take(pa.array(bits))


def _prior_plays(features: WeekFeatures, listeners: Ints, artist: Ints) -> Ints:
    """Plays of each artist by each listener before the week."""
    found = features.known_artists.find(listeners, artist)
    if not len(features.prior_plays):
        return np.zeros(len(listeners), dtype=np.int64)
    return np.where(found >= 0, features.prior_plays[found], 0)
