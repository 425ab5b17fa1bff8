"""The exact least-squares solve of a listener against fixed recording vectors, in float64, many at a time.

Belongs here: the linear algebra shared by the listeners' vectors and by the explanation of their scores.
Does not: training of the recording vectors, choice of what to explain, what a prior is made of.

Source: Hu, Koren and Volinsky 2008, sections 4 and 5.  With B = YtY + regularization I and a listener's
history h, W = (B + sum over h of (c - 1) y yt)^-1.  The listener's vector is x = W sum over h of c p y, and
the score of any recording i is the sum over h of c p (y_i W y_h).  Everything here is done in the space
where B is the identity (y' = L^-1 y with B = L Lt), so that one f x f system a listener remains.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy.linalg

from models_ml.arrays import Floats, Ints, Pairs, in_order
from models_ml.features import Interactions

_GROUP_BYTES = 48 << 20


@dataclass(frozen=True)
class WhitenedRecordings:
    """Recording vectors in the space where B is the identity.

    vectors: (m, f) float64.  lower: (f, f) float64, L with B = L Lt.
    """

    vectors: Floats
    lower: Floats


@dataclass(frozen=True)
class HistoryGroup:
    """Listeners whose histories are about as long, padded to the longest.

    rows: (b,) places in the listeners asked for.  recordings: (b, h) int32, -1 past the end.
    weight: (b, h) float64 c - 1.  pull: (b, h) float64 c where liked, else 0.
    """

    rows: Ints
    recordings: Ints
    weight: Floats
    pull: Floats

    def of(self, chosen: Ints) -> "HistoryGroup":
        """Some of its listeners, by place."""
        return HistoryGroup(self.rows[chosen], self.recordings[chosen], self.weight[chosen], self.pull[chosen])


def whiten(recording_factors: Floats, regularization: float) -> WhitenedRecordings:
    """recording_factors: (m, f).  regularization: > 0, that of the fit."""
    vectors = recording_factors.astype(np.float64)
    gram = vectors.T @ vectors + regularization * np.eye(vectors.shape[1])
    lower = np.linalg.cholesky(gram)
    return WhitenedRecordings(to_whitened(vectors, lower), lower)


def to_whitened(vectors: Floats, lower: Floats) -> Floats:
    """(m, f) float64 in the space where B is the identity.  lower: (f, f), L with B = L Lt."""
    double = vectors.astype(np.float64)
    whitened = scipy.linalg.solve_triangular(lower, double.T, lower=True).T if len(double) else double
    return np.ascontiguousarray(whitened)


def from_whitened(whitened: Floats, lower: Floats) -> Floats:
    """(..., f) float64 in the space of the vectors.  lower: (f, f), L with B = L Lt."""
    flat = whitened.reshape(-1, whitened.shape[-1])
    back = scipy.linalg.solve_triangular(lower, flat.T, lower=True, trans="T").T if len(flat) else flat
    return np.ascontiguousarray(back.reshape(whitened.shape))


def grouped_histories(interactions: Interactions, listeners: Ints, factors: int) -> Iterator[HistoryGroup]:
    """The listeners that have a history, shortest first, in groups of bounded size."""
    lengths = interactions.pairs.lengths(listeners)
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = 0
    while start < len(order):
        stop = _group_end(lengths[order], start, factors)
        yield _padded(interactions, listeners, order[start:stop])
        start = stop


def _group_end(sorted_lengths: Ints, start: int, factors: int) -> int:
    """Where the group that begins at start ends: within memory, and padded by at most a quarter or 8."""
    shortest = int(sorted_lengths[start])
    alike = int(np.searchsorted(sorted_lengths, max(shortest * 5 // 4, shortest + 8), side="right"))
    per_listener = 8 * factors * (factors + 2 * int(sorted_lengths[alike - 1]))
    return min(alike, start + max(1, _GROUP_BYTES // per_listener))


def _padded(interactions: Interactions, listeners: Ints, rows: Ints) -> HistoryGroup:
    owners = listeners[rows]
    lengths = interactions.pairs.lengths(owners)
    shape = (len(rows), int(lengths.max()))
    row, position = interactions.pairs.positions(owners)
    column = position - np.repeat(interactions.pairs.indptr[owners], lengths)
    recordings = np.full(shape, -1, dtype=np.int32)
    weight, pull = np.zeros(shape), np.zeros(shape)
    recordings[row, column] = interactions.pairs.values[position]
    confidence = interactions.confidence[position]
    weight[row, column] = confidence - 1.0
    pull[row, column] = np.where(interactions.preference[position] > 0, confidence, 0.0)
    return HistoryGroup(rows, recordings, weight, pull)


def history_vectors(whitened: WhitenedRecordings, group: HistoryGroup) -> Floats:
    """(b, h, f) float64 whitened vectors of the group's histories, zero past the end."""
    vectors = whitened.vectors[np.maximum(group.recordings, 0)]
    vectors[group.recordings < 0] = 0.0
    return vectors


def along_history(history: Floats, weight: Floats, targets: Floats) -> Floats:
    """Y (I + Yt D Y)^-1 times the targets, Y the history and D its weights: what each heard recording says of each.

    history: (b, h, f).  weight: (b, h).  targets: (b, s, f).  Returns (b, h, s) float64.
    A history shorter than the vectors is solved in its own, smaller space: Y (I + Yt D Y)^-1 = (I + Y Yt D)^-1 Y.
    """
    turned = history.transpose(0, 2, 1)
    if history.shape[1] < history.shape[2]:
        return np.linalg.solve(_plus_one(history @ turned * weight[:, None, :]), history @ targets.transpose(0, 2, 1))
    systems = _plus_one(turned @ (history * weight[:, :, None]))
    return history @ np.linalg.solve(systems, targets.transpose(0, 2, 1))


def _plus_one(systems: Floats) -> Floats:
    """The systems with 1 added along each diagonal."""
    diagonal = np.arange(systems.shape[1])
    systems[:, diagonal, diagonal] += 1.0
    return systems


def solve_listeners(
    interactions: Interactions,
    listener_count: int,
    recording_factors: Floats,
    regularization: float,
    threads: int,
) -> Floats:
    """(n, f) float32 listener vectors, exact given the recordings'; zero without a positive interaction."""
    whitened = whiten(recording_factors, regularization)
    solved = np.zeros((listener_count, recording_factors.shape[1]))
    groups = grouped_histories(interactions, np.arange(listener_count), recording_factors.shape[1])
    for rows, vectors in in_order(partial(_listener_vectors, whitened), groups, threads):
        solved[rows] = vectors
    if listener_count:
        solved = scipy.linalg.solve_triangular(whitened.lower, solved.T, lower=True, trans="T").T
    return np.ascontiguousarray(solved, dtype=np.float32)


def _listener_vectors(whitened: WhitenedRecordings, group: HistoryGroup) -> tuple[Ints, Floats]:
    """(rows, (b, f) whitened vectors) of one group."""
    history = history_vectors(whitened, group)
    turned = history.transpose(0, 2, 1)
    if history.shape[1] < history.shape[2]:  # (I + Yt D Y)^-1 Yt = Yt (I + D Y Yt)^-1
        systems = _plus_one(group.weight[:, :, None] * (history @ turned))
        return group.rows, (turned @ np.linalg.solve(systems, group.pull[:, :, None]))[:, :, 0]
    systems = _plus_one(turned @ (history * group.weight[:, :, None]))
    return group.rows, np.linalg.solve(systems, turned @ group.pull[:, :, None])[:, :, 0]


def history_parts(whitened: WhitenedRecordings, group: HistoryGroup, member: Floats) -> Floats:
    """(b, k, f) whitened: the part of each listener's vector that each part of the history makes; these add up to it.

    member: (b, k, h) 1 for the recordings of a part, else 0.
    """
    history = history_vectors(whitened, group)
    turned = history.transpose(0, 2, 1)
    pull = (group.pull[:, None, :] * member).transpose(0, 2, 1)
    if history.shape[1] < history.shape[2]:  # as in _listener_vectors
        systems = _plus_one(group.weight[:, :, None] * (history @ turned))
        return np.asarray((turned @ np.linalg.solve(systems, pull)).transpose(0, 2, 1))
    systems = _plus_one(turned @ (history * group.weight[:, :, None]))
    return np.asarray(np.linalg.solve(systems, turned @ pull).transpose(0, 2, 1))


def solve_with_priors(
    interactions: Interactions,
    fixed: Floats,
    gram: Floats,
    priors: Sequence[Floats],
    strength: float,
    exposure: float,
) -> Floats:
    """(1 + priors, owners, f) float64: what the pairs, and each prior mean, add to the solve of each owner.

    Their sum is v = (e G + sum (c - e) u ut + lambda I)^-1 (sum c p u + lambda mu), with u the fixed vectors of the
    other side, e the exposure and lambda the strength.
    interactions: by owner.  fixed: (n, f).  gram: (f, f) G, the fixed vectors' products summed.  priors: (owners, f).
    """
    owners = len(interactions.pairs.indptr) - 1
    lower = np.linalg.cholesky(exposure * gram + strength * np.eye(len(gram)))
    # Of the other side only those who take part.
    taking_part, place = np.unique(interactions.pairs.values, return_inverse=True)
    vectors = to_whitened(fixed[taking_part], lower)
    means = np.stack([to_whitened(strength * prior, lower) for prior in priors], axis=1)
    solved = np.concatenate([np.zeros((owners, 1, len(gram))), means], axis=1)
    pairs = Pairs(interactions.pairs.indptr, place.astype(np.int32), max(len(taking_part), 1))
    local = Interactions(pairs, interactions.confidence, interactions.preference)
    for group in grouped_histories(local, np.arange(owners), len(gram)):
        history = history_vectors(WhitenedRecordings(vectors, lower), group)
        # Past the end a pair's vector is zero, and so is what it weighs.
        weight = np.where(group.recordings >= 0, group.weight + 1.0 - exposure, 0.0)
        wanted = solved[group.rows]
        wanted[:, 0] += (group.pull[:, :, None] * history).sum(axis=1)
        inverse = along_history(history, weight, wanted)
        solved[group.rows] = wanted - inverse.transpose(0, 2, 1) @ (history * weight[:, :, None])
    return _unwhitened(solved, lower)


def _unwhitened(solved: Floats, lower: Floats) -> Floats:
    """(owners, parts, f) in the space where B is the identity as (parts, owners, f) in that of the vectors."""
    return from_whitened(solved.transpose(1, 0, 2), lower)
