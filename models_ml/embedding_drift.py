"""How far vectors moved between two weeks, beyond the turn that training is free to give the whole space.

Belongs here: aligning two sets of vectors and measuring what is left. Does not: which weeks, or how much is too much.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Floats, joined, vectors_of


@dataclass(frozen=True)
class Drift:
    """distance: 1 minus the mean cosine after alignment, NaN without shared recordings.  shared: how many there are."""

    distance: float
    shared: int


def embedding_drift(now: pa.Table, before: pa.Table) -> Drift:
    """Drift of recording vectors: recording_id and vector of two weeks, each id once.

    Only recordings that have a vector other than zero in both weeks count. Two spaces of different width share none.
    Raises InputError where a vector column is none.
    """
    vectors, earlier = vectors_of(now, "now"), vectors_of(before, "before")
    if vectors.shape[1] != earlier.shape[1]:
        return Drift(float("nan"), 0)
    place = pc.index_in(joined(now["recording_id"]), joined(before["recording_id"]))
    there = pc.fill_null(place, -1).to_numpy(zero_copy_only=False)
    mine, theirs = vectors[there >= 0], earlier[there[there >= 0]]
    known = mine.any(axis=1) & theirs.any(axis=1)
    return Drift(1.0 - aligned_cosine(mine[known], theirs[known]), int(known.sum()))


def aligned_cosine(now: Floats, before: Floats) -> float:
    """Mean cosine of vectors and what they were before, once the earlier space is turned onto the later one.

    now, before: (n, f), no zero rows.  The turn R is the orthogonal matrix that brings unit vectors closest, R = U Vt
    of the singular value decomposition of beforeT now (Schönemann 1966). The mean of the cosines is then the sum of
    the singular values over n: 1 where the spaces differ by a turn alone, and always near 1 for n below f.
    Returns NaN for n = 0.
    """
    if not len(now):
        return float("nan")
    product = _unit(before).T @ _unit(now)
    return float(np.linalg.svd(product, compute_uv=False).sum() / len(now))


def _unit(vectors: Floats) -> Floats:
    wide = np.asarray(vectors, dtype=np.float64)
    return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True))
