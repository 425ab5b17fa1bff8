"""Search: the recordings with the highest inner product with a listener's vector, exactly or by an index.

Belongs here: the interface, its two engines, which of them to use, and what one finds of the other's answer.
Does not: picking from rows of scores (neighbours.py), filters, merging of sources, for whom recall is enough
(retrieval_quality.py).

Source of the transform that turns inner product into cosine: Bachrach et al., "Speeding Up the Xbox
Recommender System Using a Euclidean Transformation for Inner-Product Spaces", RecSys 2014.
"""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from usearch.index import Index

from models_ml.arrays import Bools, Floats, Ints, in_order, ranges, worker_count
from models_ml.errors import InputError
from models_ml.neighbours import Neighbours, best_first, shortlist, stacked

if TYPE_CHECKING:
    from models_ml.rough_products import RoughProducts

# A matrix product's rounding depends on where a vector lies in it; this many more than asked for are scored
# again one by one, so that equal vectors tie exactly and both engines give the same score.
_ROUNDING_MARGIN = 16
_SCORE_BYTES = 64 << 20
_RESCORED_PAIRS = 1 << 15
# Fewer rows than this at a time, and the product waits for the vectors to come from memory.
_FEWEST_ROWS = 64
# Products of so many pairs, some ten seconds of them, repay loading what rounds; of fewer vectors little is saved.
_PAIRS_WORTH_LOADING = 5 * 10**9
_FEWEST_ROUNDED = 16_384
# So many pairs of a row, on average, repay one call a row.
_PAIRS_WORTH_A_ROW = 16


@dataclass(frozen=True)
class RetrievalParams:
    """Which engine searches, and how thoroughly."""

    engine: str = field(
        default="auto",
        metadata={
            "unit": "name",
            "choices": ("auto", "exact", "usearch"),
            "doc": "auto: exact below exact_below, and where listeners are fewer than recordings.",
        },
    )
    exact_below: int = field(
        # An index of 350,000 pays from 520,000 listeners on, one of 250,000 never: tests/benchmarks/README.md.
        default=400_000,
        metadata={
            "unit": "recordings",
            "min": 0,
            "max": 10**9,
            "doc": "With auto, fewer are searched exactly.",
        },
    )
    quantisation: str = field(
        default="f16",
        metadata={"unit": "name", "choices": ("f32", "f16", "i8"), "doc": "How the index stores a number."},
    )
    connectivity: int = field(
        default=32,
        metadata={"unit": "edges", "min": 2, "max": 512, "doc": "Edges of a recording in the index."},
    )
    expansion_add: int = field(
        default=128, metadata={"unit": "recordings", "min": 8, "max": 4096, "doc": "Breadth while building."}
    )
    over_fetch: float = field(
        # ALS factors, 20,000 x 128: recall at 400 is .924 at 1, .976 at 2.5, .987 at 4.
        default=2.5,
        metadata={"unit": "ratio", "min": 1.0, "max": 20.0, "doc": "Fetched, per candidate asked for."},
    )
    recall_at: int = field(
        default=200,
        metadata={
            "unit": "recordings",
            "min": 1,
            "max": 20_000,
            "doc": "How many of the best recall looks at.",
        },
    )
    minimum_recall: float = field(
        default=0.95,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Listeners of a tenth, by popularity of taste, for which the index finds less are searched exactly.",
        },
    )
    threads: int = field(
        default=0,
        metadata={"unit": "threads", "min": 0, "max": 256, "doc": "Searching threads; 0: one a core."},
    )


class Retriever(Protocol):
    """Finds the recordings with the highest inner product."""

    def search(self, queries: Floats, k: int) -> Neighbours:
        """queries: (b, f) float32.  A query of zeros finds nothing."""
        ...


class ExactRetriever:
    """Every inner product, by blocked matrix products; where it is much, of rounded numbers first (rough_products.py).

    The answers are the same to the byte: what rounding could have hidden is looked at whole.
    """

    def __init__(
        self, vectors: Floats, retrievable: Bools, threads: int = 0, rounded_after: int = _PAIRS_WORTH_LOADING
    ) -> None:
        """The engine over these vectors.

        vectors: (m, f) float32.  retrievable: (m,) bool, False for what is never found.
        rounded_after: pairs of query and recording asked for before it is tried whether rounding first is faster.
        """
        self._vectors = _finite(vectors)
        self._members = np.flatnonzero(retrievable).astype(np.int32)
        self._member_vectors = np.ascontiguousarray(self._vectors[self._members])
        self._threads = worker_count(threads)
        self._pairs, self._rounded_after = 0, rounded_after
        self._rough: RoughProducts | None = None
        self._is_asked = Lock()

    def with_threads(self, threads: int) -> "ExactRetriever":
        """The same engine with so many threads; 0: one a core."""
        other = copy.copy(self)
        other._threads = worker_count(threads)
        return other

    def search(self, queries: Floats, k: int, forbidden: Bools | None = None) -> Neighbours:
        """As Retriever.search; forbidden: (b, m) bool, True for what a query must not find."""
        queries = _finite(queries)
        if forbidden is None:
            self._round_if_worth_it(queries, k)
        block = max(_FEWEST_ROWS, _SCORE_BYTES // (4 * max(1, len(self._members))))
        blocks = ranges(len(queries), min(block, max(1, -(-len(queries) // self._threads))))
        parts = list(in_order(partial(self._search_block, queries, k, forbidden), blocks, self._threads))
        return stacked(parts, k)

    def _search_block(self, queries: Floats, k: int, forbidden: Bools | None, block: tuple[int, int]) -> Neighbours:
        part = queries[slice(*block)]
        if self._rough is None or forbidden is not None:
            return self._of_whole(part, k, None if forbidden is None else forbidden[slice(*block)])
        return self._of_rounded(self._rough, part, k)

    def _of_whole(self, queries: Floats, k: int, forbidden: Bools | None = None) -> Neighbours:
        scores = queries @ self._member_vectors.T
        if forbidden is not None:
            scores[forbidden[:, self._members]] = -np.inf
        scores[~queries.any(axis=1)] = -np.inf
        return self._best(queries, k, *shortlist(scores, k + _ROUNDING_MARGIN))

    def _of_rounded(self, rough: "RoughProducts", queries: Floats, k: int) -> Neighbours:
        found = rough.contenders(queries, k)
        nearest = self._best(queries, k, found.rows, found.places)
        unsure = np.flatnonzero(~found.surely)
        if len(unsure):
            whole = self._of_whole(queries[unsure], k)
            nearest.positions[unsure], nearest.scores[unsure] = whole.positions, whole.scores
        return nearest

    def _best(self, queries: Floats, k: int, rows: Ints, places: Ints) -> Neighbours:
        positions = self._members[places]
        return best_first(rows, positions, inner_products(queries, self._vectors, rows, positions), len(queries), k)

    def _round_if_worth_it(self, queries: Floats, k: int) -> None:
        """Once so much was asked that it repays to load what rounds, where it finds some queries' answers faster."""
        with self._is_asked:
            before = self._pairs
            self._pairs += len(queries) * len(self._members)
            if not before < self._rounded_after <= self._pairs or len(self._members) < _FEWEST_ROUNDED:
                return
            from models_ml.rough_products import RoughProducts  # loads torch: a second

            rough, some = RoughProducts(self._member_vectors), queries[:_FEWEST_ROWS]
            if _seconds(partial(self._of_rounded, rough, some, k)) < _seconds(partial(self._of_whole, some, k)):
                self._rough = rough


class UsearchRetriever:
    """A graph index of quantised vectors, asked for more than needed; what it finds is scored exactly."""

    def __init__(self, index: Index, vectors: Floats, params: RetrievalParams) -> None:
        """index: as `build` or `load` make it.  vectors: (m, f) float32, those it was built from."""
        self._index = index
        self._vectors = _finite(vectors)
        self._params = params

    @classmethod
    def build(cls, vectors: Floats, retrievable: Bools, params: RetrievalParams) -> "UsearchRetriever":
        """Index of the retrievable vectors; the same bytes each time, as one thread builds it."""
        members = np.flatnonzero(retrievable)
        chosen = _finite(vectors)[members]
        index = _empty_index(vectors.shape[1], params)
        if len(members):
            index.add(members.astype(np.uint64), _lifted(chosen), threads=1)
        return cls(index, vectors, params)

    @classmethod
    def load(cls, path: Path, vectors: Floats, params: RetrievalParams) -> "UsearchRetriever":
        """The index saved at path, with the vectors it was built from."""
        if not path.is_file():
            raise InputError(f"{path}: the index is missing; build and save it again")
        index = _empty_index(vectors.shape[1], params)
        index.load(str(path))
        return cls(index, vectors, params)

    def save(self, path: Path) -> None:
        """Write the index, without the vectors themselves, to path."""
        self._index.save(str(path))

    def search(self, queries: Floats, k: int) -> Neighbours:
        """As Retriever.search."""
        queries = _finite(queries)
        fetched = min(int(np.ceil(k * self._params.over_fetch)), len(self._index))
        asked = np.flatnonzero(queries.any(axis=1))
        if not fetched or not len(asked):
            return stacked([], k, len(queries))
        self._index.expansion_search = max(fetched, self._params.expansion_add)
        lifted = np.pad(queries[asked], ((0, 0), (0, 1)))
        found = self._index.search(lifted, fetched, threads=worker_count(self._params.threads))
        keys = np.atleast_2d(found.keys)
        counts = np.atleast_1d(found.counts) if len(asked) > 1 else np.array([keys.shape[1]])
        present = np.arange(keys.shape[1]) < counts[:, None]
        rows = asked[np.nonzero(present)[0]]
        positions = keys[present].astype(np.int32)
        order = np.lexsort((positions, rows))
        rows, positions = rows[order], positions[order]
        scores = inner_products(queries, self._vectors, rows, positions)
        return best_first(rows, positions, scores, len(queries), k)


def build_retriever(
    vectors: Floats, retrievable: Bools, params: RetrievalParams, query_count: int
) -> ExactRetriever | UsearchRetriever:
    """The engine that params ask for, over the retrievable vectors, for so many listeners."""
    if engine_of(int(retrievable.sum()), query_count, params) == "exact":
        return ExactRetriever(vectors, retrievable, params.threads)
    return UsearchRetriever.build(vectors, retrievable, params)


def engine_of(recording_count: int, query_count: int, params: RetrievalParams) -> str:
    """'exact' or 'usearch'; InputError for an unknown engine.

    Building the index costs about a search a recording: with fewer listeners than recordings it never pays.
    """
    if params.engine == "auto":
        return "exact" if recording_count < params.exact_below or query_count < recording_count else "usearch"
    if params.engine not in ("exact", "usearch"):
        raise InputError(f"retrieval: engine is {params.engine!r}; use auto, exact or usearch")
    return params.engine


def recall_of_each(retriever: Retriever, exact: Retriever, queries: Floats, k: int) -> Floats:
    """(b,) share of each query's exact best k that the retriever finds; NaN where there is nothing to find."""
    found = retriever.search(queries, k).positions.astype(np.int64)
    wanted = exact.search(queries, k).positions.astype(np.int64)
    present = wanted >= 0
    width = max(int(wanted.max(initial=0)), int(found.max(initial=0))) + 1
    row_keys = np.arange(len(queries))[:, None] * width
    hits = np.isin(row_keys + wanted, (row_keys + found)[found >= 0]) & present
    share = hits.sum(axis=1) / np.maximum(present.sum(axis=1), 1)
    return np.where(present.any(axis=1), share, np.nan)


def inner_products(queries: Floats, vectors: Floats, rows: Ints, positions: Ints) -> Floats:
    """Inner product of each (row of queries, position of vectors), float32, rounded the same anywhere.

    Fast where a row's pairs follow each other, as they do in what a search found: then its vectors stay in the cache.
    """
    scores = np.empty(len(rows), dtype=np.float32)
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    if len(starts) * _PAIRS_WORTH_A_ROW > len(rows):
        for start, stop in ranges(len(rows), _RESCORED_PAIRS):
            left, right = queries[rows[start:stop]], vectors[positions[start:stop]]
            np.einsum("nf,nf->n", left, right, out=scores[start:stop])
        return scores
    ends = np.append(starts, len(rows))
    # One place for all rows' vectors: asking for new memory each time took a third of the time.
    gathered = np.empty((int(np.diff(ends).max(initial=0)), vectors.shape[1]), dtype=vectors.dtype)
    for start, stop in pairwise(ends.tolist()):
        of_row = np.take(vectors, positions[start:stop], axis=0, out=gathered[: stop - start], mode="clip")
        np.einsum("f,nf->n", queries[rows[start]], of_row, out=scores[start:stop])
    return scores


def _seconds(work: Callable[[], Any]) -> float:
    """The shortest of a few times of this thread alone, the first of which loads what it needs."""
    taken = []
    for _ in range(3):
        started = time.thread_time()
        work()
        taken.append(time.thread_time() - started)
    return min(taken)


def _empty_index(factors: int, params: RetrievalParams) -> Index:
    return Index(
        ndim=factors + 1,
        metric="cos",
        dtype=params.quantisation,
        connectivity=params.connectivity,
        expansion_add=params.expansion_add,
    )


def _lifted(vectors: Floats) -> Floats:
    """(m, f + 1): one number more makes all equally long, so that cosine ranks as the inner product does."""
    squares = np.einsum("mf,mf->m", vectors, vectors, dtype=np.float64)
    missing = np.sqrt(np.maximum(squares.max() - squares, 0.0))
    return np.concatenate([vectors, missing[:, None].astype(np.float32)], axis=1)


def _finite(vectors: Floats) -> Floats:
    """Contiguous float32; InputError for NaN and infinity."""
    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise InputError(f"vectors: row {row} has a value that is not a number or infinite; train them again")
    return vectors
