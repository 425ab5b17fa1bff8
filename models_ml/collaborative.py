"""Collaborative filtering: latent factors of listeners and recordings by implicit alternating least squares.

Belongs here: training, cold or from last week's factors, and its parameters.
Does not: search, filters, explanation.

Source: Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008.
"""

from dataclasses import dataclass, field, replace

import implicit.cpu.als
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse
import threadpoolctl

from models_ml.arrays import Bools, Floats, Ints, Progress, joined, silent, vector_column, vectors_of, worker_count
from models_ml.features import Interactions, read_interactions
from models_ml.linear_solves import solve_listeners
from models_ml.rules import COLLABORATIVE_RUNG, POPULAR_RUNG

# implicit starts from random numbers of this size.
_START_SCALE = 0.01
# Where there is too little evidence against the regularization, training shrinks the random start towards zero
# and what is left of it is noise: shorter vectors count as none. Real ones were seen to be longer than 0.1.
_SHORTEST_VECTOR = 1e-3


@dataclass(frozen=True)
class CollaborativeParams:
    """How the factors are trained."""

    factors: int = field(
        default=128,
        metadata={
            "unit": "numbers",
            "min": 1,
            "max": 1024,
            "doc": "Length of each listener's and recording's vector.",
        },
    )
    regularization: float = field(
        # Last.fm-2K, mean of five folds at .4, .5, .6, .7 with 128 factors and confidence 1 + 3 ln(1 + engagement):
        # recall at 10 .241, .244, .245, .242; as constants 45 to 78. tests/benchmarks/README.md has the other sources.
        default=0.6,
        metadata={"unit": "squared length", "min": 1e-6, "max": 1e4, "doc": "Pull of all vectors towards zero."},
    )
    regularization_scaling: str = field(
        default="confidence",
        metadata={
            "unit": "name",
            "choices": ("confidence", "constant"),
            "doc": "confidence: times the mean length of a listener's row of confidences.",
        },
    )
    iterations: int = field(
        # Last.fm-2K, mean of five folds at 10 and 15: recall at 10 .2427 and .2433.
        default=10,
        metadata={
            "unit": "passes",
            "min": 1,
            "max": 200,
            "doc": "Passes when training starts from random vectors.",
        },
    )
    warm_iterations: int = field(
        default=5,
        metadata={
            "unit": "passes",
            "min": 1,
            "max": 200,
            "doc": "Passes when it starts from last week's vectors.",
        },
    )
    threads: int = field(
        default=0,
        metadata={
            "unit": "threads",
            "min": 0,
            "max": 256,
            "doc": "0: one a core. The result is the same for any.",
        },
    )


@dataclass(frozen=True)
class PreviousFactors:
    """Vectors as tables: user_id and vector, recording_id and vector (fixed_size_list<float>[f])."""

    listeners: pa.Table
    recordings: pa.Table


@dataclass(frozen=True)
class CollaborativeFactors:
    """What was learnt.

    recording_factors: (m, f) float32, zero for a recording that nobody likes, or with too little evidence.
    listener_factors: (n, f) float32, exact given those; zero for a listener who likes none that has a vector.
    served_factors: (m, f) float32, recordings as they are searched (serving.py); None: as they were learnt.
    served_text, served_audio: (m, f) float32, the share of these that comes from words and from sound; None: nothing.
    is_unproven: (m,) True for recordings that stand where words, sound or their artist put them; None: none does.
    listener_rung: (n,) codes of rules.RUNGS; None: by the listeners' vectors alone.
    loss: mean weighted squared error plus penalty at the end.  iterations: passes made.
    regularization: the constant the fit used, scaled where it was to be; an explanation needs it too.
    """

    listener_factors: Floats
    recording_factors: Floats
    loss: float
    iterations: int
    warm_started: bool
    regularization: float
    served_factors: Floats | None = None
    served_text: Floats | None = None
    served_audio: Floats | None = None
    is_unproven: Bools | None = None
    listener_rung: Ints | None = None

    @property
    def served(self) -> Floats:
        """(m, f) vectors whose inner product with a listener's is the score of search."""
        return self.recording_factors if self.served_factors is None else self.served_factors

    @property
    def has_vector(self) -> Bools:
        """(n,) True for listeners who have a vector."""
        return np.asarray(self.listener_factors.any(axis=1))

    @property
    def reach(self) -> Floats:
        """(n,) length of each listener's vector, of the median one's, at most 1: of who is hardly known it is short."""
        length = np.linalg.norm(self.listener_factors, axis=1)
        median = np.median(length[self.has_vector]) if self.has_vector.any() else 1.0
        return np.asarray(np.minimum(length / median, 1.0))

    @property
    def retrievable(self) -> Bools:
        """(m,) True for recordings that have a vector to be searched."""
        return np.asarray(self.served.any(axis=1))

    @property
    def rungs(self) -> Ints:
        """(n,) codes of rules.RUNGS."""
        if self.listener_rung is not None:
            return self.listener_rung
        return np.where(self.has_vector, COLLABORATIVE_RUNG, POPULAR_RUNG).astype(np.int8)

    @property
    def unproven(self) -> Bools:
        """(m,) True for recordings that listening says too little of."""
        return np.zeros(len(self.served), dtype=bool) if self.is_unproven is None else self.is_unproven

    def to_tables(self, listener_ids: pa.Array, recording_ids: pa.Array) -> PreviousFactors:
        """The vectors with their ids, to keep and to start from a week later."""
        return PreviousFactors(
            pa.table({"user_id": listener_ids, "vector": vector_column(self.listener_factors)}),
            pa.table({"recording_id": recording_ids, "vector": vector_column(self.recording_factors)}),
        )

    @classmethod
    def from_tables(
        cls,
        tables: PreviousFactors,
        *,
        loss: float,
        iterations: int,
        warm_started: bool,
        regularization: float,
    ) -> "CollaborativeFactors":
        """What `to_tables` wrote, rows in the order of this week's ids, with the facts of the fit."""
        vectors = vectors_of(tables.listeners, "listener_factors"), vectors_of(tables.recordings, "recording_factors")
        return cls(*vectors, loss, iterations, warm_started, regularization)


def fit_collaborative(
    interactions: pa.Table,
    listener_ids: pa.Array,
    recording_ids: pa.Array,
    params: CollaborativeParams,
    seed: int,
    previous: PreviousFactors | None = None,
    progress: Progress = silent,
) -> CollaborativeFactors:
    """Factors of all listeners and recordings, by position in the two id arrays.

    interactions: user_index, recording_index, confidence, preference; sorted and unique by pair.
    previous: vectors of an earlier week to start from, matched by id; ignored where they have another length.
    The same input and seed give the same bytes, whatever the threads.
    Raises InputError where interactions are out of order or range, or a confidence is not above 0.
    """
    observed = read_interactions(interactions, len(listener_ids), len(recording_ids))
    params = replace(params, regularization=regularization_of(observed, params))
    shape = (len(listener_ids), len(recording_ids))
    random = np.random.default_rng(seed)
    listeners = random.random((shape[0], params.factors), dtype=np.float32) * np.float32(_START_SCALE)
    recordings = random.random((shape[1], params.factors), dtype=np.float32) * np.float32(_START_SCALE)
    warm = _start_from(previous, listeners, listener_ids, recordings, recording_ids)
    iterations = params.warm_iterations if warm else params.iterations
    matrix = _signed_matrix(observed, shape)
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        recordings = _train(matrix, listeners, recordings, params, iterations, progress)
        recordings[~_liked(observed, shape[1]) | _is_too_short(recordings)] = 0.0
        threads = worker_count(params.threads)
        listeners = solve_listeners(observed, shape[0], recordings, params.regularization, threads)
        loss = _loss(matrix, listeners, recordings, params.regularization)
    return CollaborativeFactors(listeners, recordings, loss, iterations, warm, params.regularization)


def regularization_of(observed: Interactions, params: CollaborativeParams) -> float:
    """The pull towards zero that fits these interactions.

    Rendle et al. ("Revisiting the Performance of iALS on Item Recommendation Benchmarks", 2021) scale it by frequency,
    since sources differ in how much they hold against it. What it has to be measured by: a listener who shares nothing
    with anyone is one singular value of the confidences, the length of their own row of them, and a larger pull than
    that leaves nothing of them. So a setting below 1 keeps the mean such listener, whatever alpha and depth of history.
    """
    if params.regularization_scaling == "constant" or not len(observed.confidence):
        return params.regularization
    indptr = observed.pairs.indptr
    squares = np.add.reduceat(np.square(observed.confidence, dtype=np.float64), indptr[:-1][np.diff(indptr) > 0])
    return params.regularization * float(np.sqrt(squares).mean())


def _signed_matrix(observed: Interactions, shape: tuple[int, int]) -> scipy.sparse.csr_matrix:
    """Confidence where liked, minus confidence where disliked: implicit's form of Hu et al.'s c and p."""
    values = (observed.confidence * observed.preference).astype(np.float32)
    return scipy.sparse.csr_matrix((values, observed.pairs.values, observed.pairs.indptr), shape=shape)


def _liked(observed: Interactions, recording_count: int) -> Bools:
    """(m,) True for recordings that somebody likes."""
    liked = np.zeros(recording_count, dtype=bool)
    liked[observed.pairs.values[observed.preference > 0]] = True
    return liked


def _is_too_short(vectors: Floats) -> Bools:
    """True for vectors that say nothing."""
    return np.asarray(np.einsum("nf,nf->n", vectors, vectors) < _SHORTEST_VECTOR**2)


def _start_from(
    previous: PreviousFactors | None,
    listeners: Floats,
    listener_ids: pa.Array,
    recordings: Floats,
    recording_ids: pa.Array,
) -> bool:
    """Write the vectors known from before into the random ones; False where there are none of this length."""
    if previous is None:
        return False
    tables = (
        (previous.listeners, "user_id", listeners, listener_ids),
        (
            previous.recordings,
            "recording_id",
            recordings,
            recording_ids,
        ),
    )
    if any(table.schema.field("vector").type.list_size != start.shape[1] for table, _, start, _ in tables):
        return False
    matched = [_overwrite(table, key, start, ids) for table, key, start, ids in tables]
    return all(matched)


def _overwrite(table: pa.Table, key: str, start: Floats, ids: pa.Array) -> bool:
    """Put the table's vectors where their ids are; False where no id is known."""
    known = joined(table.column(key)).cast(pa.string())
    place = pc.fill_null(pc.index_in(ids.cast(pa.string()), known), -1).to_numpy(zero_copy_only=False)
    vectors = vectors_of(table, "previous factors")
    usable = np.zeros(len(place), dtype=bool)
    usable[place >= 0] = vectors[place[place >= 0]].any(axis=1)
    start[usable] = vectors[place[usable]]
    return bool(usable.any())


def _train(
    matrix: scipy.sparse.csr_matrix,
    listeners: Floats,
    recordings: Floats,
    params: CollaborativeParams,
    iterations: int,
    progress: Progress,
) -> Floats:
    """(m, f) float32 recording vectors after so many passes from the given start."""
    if not matrix.nnz:
        return np.zeros_like(recordings)
    model = implicit.cpu.als.AlternatingLeastSquares(
        factors=params.factors,
        regularization=params.regularization,
        iterations=iterations,
        num_threads=worker_count(params.threads),
    )
    model.user_factors, model.item_factors = listeners, recordings

    def report(iteration: int, seconds: float, loss: float | None) -> None:
        progress(f"collaborative factors: pass {iteration + 1} of {iterations}, {seconds:.1f} s")

    model.fit(matrix, show_progress=False, callback=report)
    return np.asarray(model.item_factors)


def _loss(matrix: scipy.sparse.csr_matrix, listeners: Floats, recordings: Floats, regularization: float) -> float:
    """Training loss, added up by one thread so that it is the same every time."""
    if not matrix.nnz:
        return 0.0
    return float(implicit.cpu.als.calculate_loss(matrix, listeners, recordings, regularization, num_threads=1))
