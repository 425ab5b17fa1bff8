"""Where a listener starts of whom little or nothing was heard.

Belongs here: vectors from the first events and named favourites, else from those who joined alike; the rung of each.
Does not: training, tracks that nobody has heard (fusion.py).
"""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints, Pairs, ranges, spread, worker_count
from models_ml.collaborative import CollaborativeFactors
from models_ml.features import Interactions
from models_ml.linear_solves import solve_listeners
from models_ml.prior_strength import liked_counts
from models_ml.rules import COLLABORATIVE_RUNG, CONTENT_RUNG, FOLD_IN_RUNG, POPULAR_RUNG, SEGMENT_RUNG

# Listeners whose vectors are added up at a time.
_MEMBERS_BLOCK = 65_536


@dataclass(frozen=True)
class StartingParams:
    """How listeners of whom little is known are placed."""

    fold_in_below: int = field(
        default=5,
        metadata={
            "unit": "recordings",
            "min": 0,
            "max": 1000,
            "doc": "A listener who likes fewer stands on their first events, with what they named beside.",
        },
    )
    named_artist_recordings: int = field(
        default=5,
        metadata={"unit": "recordings", "min": 0, "max": 100, "doc": "Most heard of a named artist taken as liked."},
    )
    named_genre_recordings: int = field(
        default=20,
        metadata={"unit": "recordings", "min": 0, "max": 1000, "doc": "Most heard of a named genre taken as liked."},
    )
    named_confidence: float = field(
        default=2.0,
        metadata={"unit": "", "min": 1.0, "max": 1000.0, "doc": "Confidence in each of them; a play is about 3."},
    )
    segment_minimum: int = field(
        default=30,
        metadata={
            "unit": "listeners",
            "min": 1,
            "max": 10**9,
            "doc": "A market and sign-up week with fewer known listeners says nothing; then the market alone does.",
        },
    )


@dataclass(frozen=True)
class Newcomers:
    """What is known of listeners before they play.

    artist, genre: named favourites, as pairs of listener and artist, of listener and genre.
    artist_recordings, genre_recordings: the recordings of each, most heard first.
    market, cohort: (n,) dense codes of the market, and of market and sign-up week; -1 where unknown.
    """

    artist: Pairs
    artist_recordings: Pairs
    genre: Pairs
    genre_recordings: Pairs
    market: Ints
    cohort: Ints


@dataclass(frozen=True)
class Starts:
    """vectors: (n, f) float32, those of the fit where enough is known.  rung: (n,) int8 codes of rules.RUNGS."""

    vectors: Floats
    rung: Ints


def starts(
    factors: CollaborativeFactors, interactions: Interactions, newcomers: Newcomers, params: StartingParams
) -> Starts:
    """Vectors and rungs of all listeners."""
    count = len(factors.listener_factors)
    liked = liked_counts(interactions)
    named = _named(newcomers, np.flatnonzero(liked < params.fold_in_below), count, params)
    few = np.flatnonzero(np.diff(named.indptr) > 0)
    vectors = factors.listener_factors.copy()
    if len(few) and len(factors.recording_factors):
        together = _with_named(interactions, named, few, params.named_confidence)
        solved = solve_listeners(together, len(few), factors.recording_factors, factors.regularization, worker_count(0))
        vectors[few[solved.any(axis=1)]] = solved[solved.any(axis=1)]
    known = vectors.any(axis=1)
    rung = np.full(count, POPULAR_RUNG, dtype=np.int8)
    rung[known] = COLLABORATIVE_RUNG
    rung[known & (liked < params.fold_in_below)] = FOLD_IN_RUNG
    rung[known & ~factors.has_vector] = CONTENT_RUNG
    teachers = rung == COLLABORATIVE_RUNG
    for segment in (newcomers.market, newcomers.cohort):  # the narrower one last
        means, says = _segment_means(vectors, teachers, segment, params.segment_minimum)
        led = ~known & says
        vectors[led] = means[segment[led]]
        rung[led & vectors.any(axis=1)] = SEGMENT_RUNG
    return Starts(vectors, rung)


def _named(newcomers: Newcomers, listeners: Ints, count: int, params: StartingParams) -> Pairs:
    """Recordings that stand for what each of these listeners named, ascending, each once; of the others none."""
    parts = [
        _first_of(newcomers.artist, listeners, newcomers.artist_recordings, params.named_artist_recordings),
        _first_of(newcomers.genre, listeners, newcomers.genre_recordings, params.named_genre_recordings),
    ]
    width = newcomers.artist_recordings.width
    keys = np.unique(np.concatenate([listener * width + recording for listener, recording in parts]))
    indptr = np.searchsorted(keys, np.arange(count + 1) * width).astype(np.int64)
    return Pairs(indptr, (keys % width).astype(np.int32), width)


def _first_of(named: Pairs, listeners: Ints, recordings: Pairs, most: int) -> tuple[Ints, Ints]:
    """(listener, recording) of the first few recordings of everything that these listeners named."""
    row, position = named.positions(listeners)
    things = named.values[position]
    # A genre has thousands of recordings, and many name it: they are cut before they are multiplied.
    lengths = np.minimum(recordings.lengths(things), most)
    place = spread(recordings.indptr[things], lengths)
    return np.repeat(listeners[row], lengths), recordings.values[place].astype(np.int64)


def _with_named(interactions: Interactions, named: Pairs, few: Ints, confidence: float) -> Interactions:
    """What these listeners did, and what they named where they did nothing with it; owners 0, 1, ... in order."""
    width = interactions.pairs.width
    row, position = interactions.pairs.positions(few)
    named_row, named_position = named.positions(few)
    keys = np.concatenate(
        [row * width + interactions.pairs.values[position], named_row * width + named.values[named_position]]
    )
    unique, first = np.unique(keys, return_index=True)
    confidences = np.concatenate([interactions.confidence[position], np.full(len(named_row), confidence)])[first]
    preferences = np.concatenate([interactions.preference[position], np.ones(len(named_row), dtype=np.int8)])[first]
    indptr = np.searchsorted(unique, np.arange(len(few) + 1) * width).astype(np.int64)
    return Interactions(Pairs(indptr, (unique % width).astype(np.int32), width), confidences, preferences)


def _segment_means(vectors: Floats, teachers: Bools, segment: Ints, minimum: int) -> tuple[Floats, Bools]:
    """((segments, f) mean vectors, (n,) whose segment has enough known listeners)."""
    count = int(segment.max(initial=-1)) + 1
    sums = np.zeros((count, vectors.shape[1]))
    members = np.flatnonzero(teachers & (segment >= 0))
    for start, stop in ranges(len(members), _MEMBERS_BLOCK):
        block = members[start:stop]
        belongs = (np.ones(len(block)), (segment[block], np.arange(len(block))))
        sums += scipy.sparse.csr_matrix(belongs, shape=(count, len(block))) @ vectors[block].astype(np.float64)
    sizes = np.bincount(segment[members], minlength=count)
    enough = np.concatenate([sizes >= minimum, [False]])
    return (sums / np.maximum(sizes, 1)[:, None]).astype(np.float32), enough[segment]
