"""The best of each row of scores: which are worth looking at, and these in order.

Belongs here: picking from rows of scores, best first, ties by position. Does not: scores, and where they come from
(retrieval.py).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models_ml.arrays import Floats, Ints, place_in_row

# Columns of a group, of which only the best is looked at: wider groups let more through, narrower ones cost more.
_GROUP = 16
_NOTHING = np.uint64(0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True)
class Neighbours:
    """The best recordings of each query, best first, ties by position.

    positions: (b, k) int32, -1 where there are no more.  scores: (b, k) float32 inner products, 0 there.
    """

    positions: Ints
    scores: Floats


def shortlist(scores: Floats, k: int) -> tuple[Ints, Ints]:
    """(row, column) of the k highest entries of each row and some below, by row then column; never minus infinity.

    Entries that tie with the last one count too.
    """
    floor = np.full((len(scores), 1), np.finfo(np.float32).min)
    if k < scores.shape[1]:
        floor = np.maximum(_at_most_kth(scores, k), floor)
    return np.divmod(np.flatnonzero(scores >= floor), max(scores.shape[1], 1))


def best_first(rows: Ints, positions: Ints, scores: Floats, row_count: int, k: int) -> Neighbours:
    """Ragged finds, sorted by row, as (row_count, k): best first, ties by position."""
    place = place_in_row(rows)
    width = int(place.max(initial=-1)) + 1
    keys = np.full((row_count, width), _NOTHING, dtype=np.uint64)
    keys[rows, place] = _sort_keys(scores, positions)
    keys.sort(axis=1)
    keys = keys[:, :k]
    found = keys != _NOTHING
    best = (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return stacked([Neighbours(np.where(found, best, -1), np.where(found, _scores_of(keys), 0.0))], k)


def _sort_keys(scores: Floats, positions: Ints) -> npt.NDArray[np.uint64]:
    """Numbers that rise as the score falls and, for equal scores, as the position rises."""
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32)  # minus zero is zero
    rising = np.where(bits >> np.uint32(31), ~bits, bits | np.uint32(1 << 31))
    return (~rising).astype(np.uint64) << np.uint64(32) | positions.astype(np.uint64)


def _scores_of(keys: npt.NDArray[np.uint64]) -> Floats:
    """The float32 scores that went into the keys."""
    rising = ~(keys >> np.uint64(32)).astype(np.uint32)
    bits = np.where(rising >> np.uint32(31), rising & np.uint32(0x7FFFFFFF), ~rising)
    return bits.view(np.float32)


def _at_most_kth(scores: Floats, k: int) -> Floats:
    """(b, 1) a value that the k highest of each row reach: the k-th highest of the best of its groups of columns.

    A group is every nth column, so that groups are put beside each other without moving a score: a tenth of
    the time that picking from the whole row takes.
    """
    size = max(1, min(_GROUP, scores.shape[1] // k))
    groups = scores.shape[1] // size
    # Columns after the last whole round only raise the k-th highest: leaving them out keeps the value low enough.
    best = scores[:, : groups * size].reshape(len(scores), size, groups).max(axis=1)
    best.partition(groups - k, axis=1)
    return np.asarray(best[:, groups - k, None])


def stacked(parts: list[Neighbours], k: int, row_count: int = 0) -> Neighbours:
    """The parts below each other, widened to k with -1 and 0."""
    parts = parts or [Neighbours(np.full((row_count, 0), -1), np.zeros((row_count, 0)))]
    positions = np.concatenate([_widened(part.positions, k, -1) for part in parts])
    scores = np.concatenate([_widened(part.scores, k, 0) for part in parts])
    return Neighbours(positions.astype(np.int32), np.where(positions >= 0, scores, 0).astype(np.float32))


def _widened(values: npt.NDArray[Any], k: int, fill: int) -> npt.NDArray[Any]:
    """(b, k): the columns, and the fill value after them."""
    return np.pad(values, ((0, 0), (0, k - values.shape[1])), constant_values=fill)
