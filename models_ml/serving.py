"""Serving vectors: the recordings' vectors as lists are made with them, after training and before search.

Belongs here: what is added to or taken from a trained vector so that one inner product with a listener's vector is
the score of search. Does not: training (collaborative.py), search (retrieval.py), components that are no inner
product (ranking.py).

Everything here is linear in the trained vectors, so that a score still falls apart exactly into what each heard
recording adds to it (explanation.py).
"""

from dataclasses import dataclass, field, replace

import numpy as np

from models_ml.arrays import Floats, Ints
from models_ml.collaborative import CollaborativeFactors
from models_ml.fusion import FusedVectors
from models_ml.starting import Starts


@dataclass(frozen=True)
class ServingParams:
    """How trained vectors become those that are searched."""

    artist_weight: float = field(
        # Playlist archive, recall at 30 on the tuning Mondays at 0, 0.5, 1, 2: .179, .197, .199, .197.
        default=1.0,
        metadata={
            "unit": "ratio",
            "min": 0.0,
            "max": 10.0,
            "doc": "Times the mean vector of the artist's recordings, added to each of them: few plays say little.",
        },
    )
    idle_half_life_days: float = field(
        default=0.0,
        metadata={
            "unit": "days",
            "min": 0.0,
            "max": 3650.0,
            "doc": "Halves a recording's pull for every so many days in which nobody heard it; 0: never.",
        },
    )


def serving_vectors(
    recording_factors: Floats,
    artist: Ints,
    listener_count: Ints,
    idle_days: Floats,
    params: ServingParams,
    placed: Floats | None = None,
    artist_share: Floats | None = None,
) -> Floats:
    """(m, f) float32: each vector, helped by its artist's mean, weakened by how long it lay idle.

    recording_factors: (m, f) float32, zero where nothing was learnt.  artist: (m,) first credited artist, dense.
    listener_count: (m,) who engaged with it; the mean weighs by its logarithm.
    idle_days: (m,) days since anyone heard it, NaN where unknown.
    placed: (m, f) the vectors to serve, where they are more than what was learnt; zero where nothing is known, and so
    it stays.
    artist_share: (m,) how much of its artist's mean each is helped by; None: all of it, where something was learnt.
    """
    placed = recording_factors if placed is None else placed
    known = placed.any(axis=1)
    served: Floats = placed.astype(np.float32)
    if params.artist_weight:
        share = np.asarray(recording_factors.any(axis=1) if artist_share is None else artist_share, dtype=np.float32)
        means = _artist_means(recording_factors, artist, listener_count)
        served = served + (share * np.float32(params.artist_weight))[:, None] * means
    served[~known] = 0.0
    return np.ascontiguousarray(served * pull_left(idle_days, params)[:, None].astype(np.float32))


def served_factors(
    factors: CollaborativeFactors,
    fused: FusedVectors,
    starts: Starts,
    artist: Ints,
    listener_count: Ints,
    idle_days: Floats,
    params: ServingParams,
) -> CollaborativeFactors:
    """The factors with the vectors that are searched, of all listeners and recordings that anything is known of.

    artist, listener_count, idle_days: as in `serving_vectors`.
    """
    pull = pull_left(idle_days, params)[:, None].astype(np.float32)
    return replace(
        factors,
        listener_factors=starts.vectors,
        listener_rung=starts.rung,
        served_factors=serving_vectors(
            factors.recording_factors,
            artist,
            listener_count,
            idle_days,
            params,
            fused.vectors,
            fused.artist_share,
        ),
        served_text=fused.text * pull,
        served_audio=fused.audio * pull,
        is_unproven=fused.is_unproven,
    )


def pull_left(idle_days: Floats, params: ServingParams) -> Floats:
    """What is left of a recording's pull after so many idle days: 1 where unknown, or where nothing fades."""
    if not params.idle_half_life_days:
        return np.ones(len(idle_days))
    return np.asarray(0.5 ** (np.nan_to_num(idle_days, nan=0.0) / params.idle_half_life_days))


def _artist_means(vectors: Floats, artist: Ints, listener_count: Ints) -> Floats:
    """(m, f) float32: of each recording, its artist's mean vector; those nobody knows weigh nothing."""
    weight = np.log1p(listener_count.astype(np.float64)) * vectors.any(axis=1)
    order = np.argsort(artist, kind="stable")
    starts = np.flatnonzero(np.diff(artist[order], prepend=-1))
    if not len(starts):
        return np.zeros_like(vectors)
    sums = np.add.reduceat(vectors[order] * weight[order, None].astype(np.float32), starts, axis=0)
    total = np.add.reduceat(weight[order], starts)
    means = sums / np.maximum(total, 1e-12)[:, None].astype(np.float32)
    place = np.empty(len(artist), dtype=np.int64)
    place[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(artist)))
    return np.asarray(means[place], dtype=np.float32)
