"""Candidates: several hundred recordings a listener that pass every filter, with what was taken out and why.

Belongs here: the sources, the search again for listeners left with few, the funnel, the sample of rejections.
Does not: the search engines (retrieval.py), the filters themselves (eligibility.py), the final score.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Ints, Progress, in_order, place_in_row, ranges, silent, worker_count
from models_ml.collaborative import CollaborativeFactors
from models_ml.eligibility import filter_codes, forbidden
from models_ml.exploration.arms import Exploration
from models_ml.features import WeekFeatures
from models_ml.funnel import REJECTED_SCHEMA, Funnel, rejected_table, sampled_listeners
from models_ml.near_duplicates import worse_of_their_sound
from models_ml.pools import CANDIDATES_SCHEMA, Pool, from_grid, merged, replaced, to_table
from models_ml.retrieval import ExactRetriever, Retriever, inner_products
from models_ml.rules import (
    COLLABORATIVE,
    EXPLORATION,
    FILTER_CODES,
    FRESH,
    NEAR_DUPLICATE,
    NEW_RELEASE,
    POPULAR,
    SOURCE_BITS,
    TASTE_MODE,
)
from models_ml.taste_modes import TasteModeFinder, TasteModes

_MASK_BYTES = 256 << 20


@dataclass(frozen=True)
class CandidateParams:
    """How many candidates are looked for, and where."""

    candidate_count: int = field(
        default=400,
        metadata={"unit": "recordings", "min": 30, "max": 20_000, "doc": "Looked for, a listener."},
    )
    minimum_kept: int = field(
        default=120,
        metadata={
            "unit": "recordings",
            "min": 0,
            "max": 20_000,
            "doc": "A listener left with fewer is searched for again, without what the filters take out.",
        },
    )
    fresh_days: int = field(
        default=28, metadata={"unit": "days", "min": 0, "max": 3650, "doc": "A release is fresh for so long."}
    )
    fresh_minimum_listeners: int = field(
        default=2,
        metadata={"unit": "listeners", "min": 1, "max": 10**9, "doc": "Recent listeners it must have."},
    )
    fresh_count: int = field(
        default=20,
        metadata={"unit": "recordings", "min": 0, "max": 1000, "doc": "Fresh ones added, a listener."},
    )
    new_release_count: int = field(
        default=10,
        metadata={
            "unit": "recordings",
            "min": 0,
            "max": 1000,
            "doc": "Fresh ones added, a listener, that too few have heard to rank by listening.",
        },
    )
    taste_mode_share: float = field(
        # Three demo worlds, recall within 400 candidates at 0, 0.1, 0.25: .666, .668, .665; nDCG the same, retrieval
        # three times as long. tests/benchmarks/README.md.
        default=0.0,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of the candidates, by taste modes in place of the one vector; 0: none.",
        },
    )
    taste_mode_count: int = field(
        default=4, metadata={"unit": "modes", "min": 2, "max": 16, "doc": "At most, a listener."}
    )
    taste_mode_minimum_liked: int = field(
        default=20,
        metadata={"unit": "recordings", "min": 2, "max": 10**6, "doc": "Whoever likes fewer has no modes."},
    )
    taste_mode_minimum_gain: float = field(
        default=0.05,
        metadata={
            "unit": "cosine",
            "min": 0.0,
            "max": 1.0,
            "doc": "By which one mode more brings liked recordings nearer to the centres of their modes.",
        },
    )
    rejected_sample_share: float = field(
        default=0.01,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Listeners whose rejected candidates are listed.",
        },
    )
    rejected_sample_minimum: int = field(
        default=20, metadata={"unit": "listeners", "min": 0, "max": 10**6, "doc": "At least so many of them."}
    )
    block_listeners: int = field(
        default=2048, metadata={"unit": "listeners", "min": 1, "max": 65_536, "doc": "Worked on at once."}
    )


@dataclass(frozen=True)
class Candidates:
    """What find_candidates found.

    table: one row per listener, see pools.CANDIDATES_SCHEMA.
    funnel: stage, rule_id, candidates, listeners.
    rejected: user_index, recording_index, rule_id, stage, counterfactual_rank, for a sample of listeners.
    """

    table: pa.Table
    funnel: pa.Table
    rejected: pa.Table


class CandidateSources:
    """Where candidates come from: a listener's vector, fresh releases near it, and what is popular."""

    def __init__(
        self,
        features: WeekFeatures,
        factors: CollaborativeFactors,
        params: CandidateParams,
        exactly: Bools | None = None,
        exploration: Exploration | None = None,
        threads: int = 0,
    ) -> None:
        """The sources for one week.

        exactly: (n,) True for listeners whom no index serves well enough.  threads: of one search; 0: one a core.
        """
        self.features = features
        self.params = params
        self.has_vector = factors.has_vector
        self.rungs = factors.rungs
        self._exactly = np.zeros(features.listener_count, dtype=bool) if exactly is None else exactly
        self._factors = factors
        self._queries = factors.listener_factors
        self._vectors = factors.served
        retrievable = factors.retrievable
        self.retrievable_count = int(retrievable.sum())
        self.exact = ExactRetriever(self._vectors, retrievable, threads)
        released = retrievable & (features.recordings.age_days <= params.fresh_days)
        listened = features.recordings.recent_listener_count >= params.fresh_minimum_listeners
        self._fresh = {
            FRESH: (ExactRetriever(self._vectors, released & listened, threads), params.fresh_count),
            NEW_RELEASE: (
                ExactRetriever(self._vectors, released & factors.unproven, threads),
                params.new_release_count,
            ),
        }
        self._exploration = exploration
        arms = exploration.arms.members() if exploration else []
        self._arms = [ExactRetriever(self._vectors, retrievable & of_arm, threads) for of_arm in arms]

    @cached_property
    def _modes(self) -> TasteModeFinder | None:
        params = self.params
        if not params.taste_mode_share:
            return None
        limits = (params.taste_mode_count, params.taste_mode_minimum_liked, params.taste_mode_minimum_gain)
        return TasteModeFinder(self._factors, self.features.interactions, *limits)

    def find(self, retriever: Retriever, listeners: Ints) -> Pool:
        """Candidates by the given engine; no filter applied."""
        mine = np.flatnonzero(self.has_vector[listeners])
        exactly = self._exactly[listeners[mine]]
        personal = [self._near(retriever, listeners, mine[~exactly]), self._near(self.exact, listeners, mine[exactly])]
        others = np.flatnonzero(~self.has_vector[listeners])
        popular = self._popular(listeners, others, self.params.candidate_count)
        return merged([*personal, *self._fresh_ones(listeners, mine), *self._of_arms(listeners, mine), popular])

    def find_deeper(self, listeners: Ints, depth: int, *, top_up: bool) -> Pool:
        """Up to depth candidates that pass all filters, by exact search; all popular ones without a vector.

        top_up: add popular recordings for listeners with a vector too.
        """
        mine = np.flatnonzero(self.has_vector[listeners])
        popular = self._popular(listeners, np.arange(len(listeners)), None)
        if not top_up:
            popular = popular.where(~self.has_vector[listeners[popular.rows]])
        beside = [*self._fresh_ones(listeners, mine), *self._of_arms(listeners, mine)]
        pool = merged([self._masked(listeners, mine, depth), *beside, popular])
        return pool.where(_filter_codes(self.features, listeners, pool) == 0)

    def _near(self, retriever: Retriever, listeners: Ints, rows: Ints) -> Pool:
        found = retriever.search(self._queries[listeners[rows]], self.params.candidate_count)
        own = from_grid(rows, found.positions, found.scores, COLLABORATIVE)
        return own if self._modes is None else self._by_modes(retriever, listeners, rows, own, self._modes)

    def _by_modes(self, retriever: Retriever, listeners: Ints, rows: Ints, own: Pool, finder: TasteModeFinder) -> Pool:
        """As many as the listener's own candidates, the last of them in favour of what each of several modes finds."""
        modes, count = finder.of(listeners[rows]), self.params.candidate_count
        several = (modes.weight > 0).sum(axis=1) > 1
        kept = np.full(len(listeners), count)
        kept[rows[several]] = count - round(self.params.taste_mode_share * count)
        first = place_in_row(own.rows) < kept[own.rows]
        some = TasteModes(modes.queries[several], modes.weight[several])
        chosen = self._of_modes(retriever, listeners, rows[several], some, own.where(first))
        missing = count - merged([own.where(first), chosen]).lengths(len(listeners))
        width = self.features.recording_count
        rest = own.where(~first & ~np.isin(own.rows * width + own.recordings, chosen.rows * width + chosen.recordings))
        rest = rest.where(place_in_row(rest.rows) < missing[rest.rows])
        return merged([own.where(first), chosen, rest])

    def _of_modes(self, retriever: Retriever, listeners: Ints, rows: Ints, modes: TasteModes, taken: Pool) -> Pool:
        """The best of each mode that are not taken, in shares of its weight, scored by the listener's own vector."""
        most, width = modes.weight.shape[1], self.features.recording_count
        queries = modes.queries.reshape(-1, modes.queries.shape[2])
        found = retriever.search(queries, self.params.candidate_count).positions
        mode, place = np.nonzero(found >= 0)
        row, recording = rows[mode // most], found[mode, place]
        new = ~np.isin(row * width + recording, taken.rows * width + taken.recordings)
        mode, row, recording = mode[new], row[new], recording[new]
        share = np.floor(modes.weight.ravel() * self.params.taste_mode_share * self.params.candidate_count)
        best = place_in_row(mode) < share[mode]
        row, recording = row[best], recording[best]
        scores = inner_products(self._queries, self._vectors, listeners[row], recording)
        return Pool(row, recording, scores, np.full(len(row), SOURCE_BITS[TASTE_MODE], dtype=np.uint8))

    def _masked(self, listeners: Ints, mine: Ints, depth: int) -> Pool:
        """The best that no filter takes out, of the listeners at the places `mine`."""
        size = max(1, _MASK_BYTES // max(1, 5 * self.features.recording_count))
        parts = [_nothing()]
        for start, stop in ranges(len(mine), size):
            rows = mine[start:stop]
            mask = forbidden(self.features, listeners[rows])
            found = self.exact.search(self._queries[listeners[rows]], min(depth, self.retrievable_count), mask)
            parts.append(from_grid(rows, found.positions, found.scores, COLLABORATIVE))
        return merged(parts)

    def _fresh_ones(self, listeners: Ints, mine: Ints) -> list[Pool]:
        queries = self._queries[listeners[mine]]
        found = {source: searched.search(queries, count) for source, (searched, count) in self._fresh.items()}
        return [from_grid(mine, near.positions, near.scores, source) for source, near in found.items()]

    def _of_arms(self, listeners: Ints, mine: Ints) -> list[Pool]:
        """The nearest of each arm, for those who explore: without them most arms would have nothing to give."""
        if self._exploration is None:
            return []
        rows = mine[self._exploration.explores[listeners[mine]]]
        count = self._exploration.params.candidates_per_arm
        found = [of_arm.search(self._queries[listeners[rows]], count) for of_arm in self._arms]
        return [from_grid(rows, near.positions, near.scores, EXPLORATION) for near in found]

    def _popular(self, listeners: Ints, rows: Ints, depth: int | None) -> Pool:
        """The first `depth` of each listener's popular list, scored by vector or, without one, by place."""
        lists = self.features.popular_list[listeners]
        positions = self.features.popular.recording[lists[rows], :depth]
        pool = from_grid(rows, positions, np.zeros(positions.shape, dtype=np.float32), POPULAR)
        with_vector = self.has_vector[listeners[pool.rows]]
        strength = self.features.popular.strength(lists[pool.rows], pool.recordings).astype(np.float32)
        near = inner_products(self._queries, self._vectors, listeners[pool.rows], pool.recordings)
        return Pool(pool.rows, pool.recordings, np.where(with_vector, near, strength), pool.sources)


def find_candidates(
    features: WeekFeatures,
    factors: CollaborativeFactors,
    retriever: Retriever,
    params: CandidateParams,
    progress: Progress = silent,
    exactly: Bools | None = None,
    keep: Callable[[pa.Table], None] | None = None,
    exploration: Exploration | None = None,
) -> Candidates:
    """Candidates of all listeners; see Candidates.

    exactly: (n,) True for whom the retriever is not to be used.
    keep: takes each block of the table instead, so that memory does not grow with the listeners.
    exploration: whose arms are searched too; None: nobody explores.
    """
    threads = 0
    if isinstance(retriever, ExactRetriever):
        # Blocks run side by side: searched with two threads each, a million listeners' took a seventh longer.
        threads, retriever = 1, retriever.with_threads(1)
    sources = CandidateSources(features, factors, params, exactly, exploration, threads)
    funnel = Funnel()
    sampled = sampled_listeners(features.user_id, params.rejected_sample_share, params.rejected_sample_minimum)
    tables, rejected = [CANDIDATES_SCHEMA.empty_table()], [REJECTED_SCHEMA.empty_table()]
    keep = keep or tables.append
    for table, taken_out in candidate_blocks(sources, retriever, funnel, sampled, progress):
        keep(table)
        rejected.append(taken_out)
    return Candidates(pa.concat_tables(tables), funnel.table(), pa.concat_tables(rejected))


def candidate_blocks(
    sources: CandidateSources,
    retriever: Retriever,
    funnel: Funnel,
    sampled: Bools,
    progress: Progress = silent,
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """(candidates, rejected sample) of one block of listeners after the other; counts go into the funnel."""
    count = sources.features.listener_count
    blocks = ranges(count, sources.params.block_listeners)
    # An index searches with threads of its own, and may not be asked twice at once.
    threads = worker_count(0) if isinstance(retriever, ExactRetriever) else 1
    made = in_order(partial(_candidate_block, sources, retriever, sampled), blocks, threads)
    for (_, stop), (table, taken_out, counted) in zip(blocks, made, strict=True):
        funnel.add(counted)
        progress(f"candidates: {stop:,} of {count:,} listeners")
        yield table, taken_out


def _candidate_block(
    sources: CandidateSources, retriever: Retriever, sampled: Bools, block: tuple[int, int]
) -> tuple[pa.Table, pa.Table, Funnel]:
    """(candidates, rejected sample, what was counted) of a block of listeners."""
    listeners, funnel = np.arange(*block), Funnel()
    pool, taken_out = _filtered(sources, retriever, listeners, funnel, sampled)
    pool = _searched_again(sources, listeners, pool, funnel)
    funnel.count("keep", "passed", pool.rows)
    return to_table(pool, listeners, sources.rungs[listeners]), taken_out, funnel


def passing(sources: CandidateSources, retriever: Retriever, listeners: Ints) -> Pool:
    """Candidates of these listeners that pass every filter, and no record of those that don't."""
    funnel, nobody = Funnel(), np.zeros(sources.features.listener_count, dtype=bool)
    pool, _ = _filtered(sources, retriever, listeners, funnel, nobody)
    return _searched_again(sources, listeners, pool, funnel)


def _filtered(
    sources: CandidateSources, retriever: Retriever, listeners: Ints, funnel: Funnel, sampled: Bools
) -> tuple[Pool, pa.Table]:
    """(what passes, rejected rows of sampled listeners) of a block."""
    pool = sources.find(retriever, listeners)
    codes = _filter_codes(sources.features, listeners, pool)
    funnel.count_sources(pool)
    funnel.count_filters(pool, codes)
    chosen = sampled[listeners[pool.rows]]
    return pool.where(codes == 0), rejected_table(listeners, pool.where(chosen), codes[chosen])


def _filter_codes(features: WeekFeatures, listeners: Ints, pool: Pool) -> Ints:
    """As filter_codes, of all candidates of a listener together: of those that are one in sound the best passes."""
    codes = filter_codes(features, listeners[pool.rows], pool.recordings)
    codes[worse_of_their_sound(pool, features.sound_of, codes == 0)] = FILTER_CODES[NEAR_DUPLICATE]
    return codes


def _searched_again(sources: CandidateSources, listeners: Ints, pool: Pool, funnel: Funnel) -> Pool:
    """The pool with a deeper, masked search for listeners left with fewer than minimum_kept."""
    params = sources.params
    lengths = pool.lengths(len(listeners))
    deeper_helps = ~sources.has_vector[listeners] | (sources.retrievable_count > params.candidate_count)
    short = np.flatnonzero((lengths < params.minimum_kept) & deeper_helps)
    if not len(short):
        return pool
    found = sources.find_deeper(listeners[short], params.candidate_count, top_up=False)
    funnel.count("search_again", "few_kept", found.rows)
    return replaced(pool, short, found)


def _nothing() -> Pool:
    """A pool without candidates."""
    nothing = np.empty(0, dtype=np.int64)
    return Pool(nothing, nothing.astype(np.int32), nothing.astype(np.float32), nothing.astype(np.uint8))
