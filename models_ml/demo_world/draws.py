"""Random draws over arrays: named generators, weighted choice in many rows at once, ragged blocks.

Belongs here: building blocks without a notion of music.
Does not: what is drawn and why.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]
Random = np.random.Generator


def generator(seed: int, *names: str | int) -> Random:
    """A generator that depends on nothing but the seed and the names of what is drawn."""
    text = ":".join(str(name) for name in (seed, *names))
    digest = hashlib.sha256(text.encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def choose(random: Random, weights: Floats | Ints, count: int) -> Ints:
    """Positions drawn with chances proportional to weights (n,); (count,) int64."""
    cumulative = np.cumsum(np.asarray(weights, dtype=np.float64))
    drawn = np.searchsorted(cumulative, random.random(count) * cumulative[-1], side="right")
    positions: Ints = np.minimum(drawn, len(cumulative) - 1)
    return positions


def choose_each(random: Random, weights: Floats) -> Ints:
    """One position for each row of weights (rows, n), proportional to them; (rows,) int64."""
    cumulative = np.cumsum(weights, axis=1)
    level = random.random(len(weights)) * cumulative[:, -1]
    positions: Ints = np.minimum((cumulative <= level[:, None]).sum(axis=1), weights.shape[1] - 1)
    return positions


def choose_within(random: Random, cumulative: Floats, starts: Ints, stops: Ints) -> Ints:
    """One position in [start, stop) for each pair, by the weights whose running sum is given.

    cumulative: (n + 1,), a zero first.  starts, stops: (rows,), stop > start.  Returns (rows,) int64.
    """
    low, high = cumulative[starts], cumulative[stops]
    drawn = np.searchsorted(cumulative, low + random.random(len(starts)) * (high - low), side="right") - 1
    return np.clip(drawn, starts, stops - 1)


def running_sum(weights: Floats) -> Floats:
    """Zero, then the sums of the first 1, 2, ... weights: what choose_within takes."""
    return np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)])


@dataclass(frozen=True)
class RowChoice:
    """Weighted choice from many rows of different lengths.

    cumulative: running shares of all rows end to end, each raised by the place of its row, so that one
    sorted array answers for all of them.  place, first, length: (rows,) where a row stands in it.
    """

    cumulative: Floats
    place: Ints
    first: Ints
    length: Ints

    def draw(self, random: Random, rows: Ints) -> Ints:
        """One position inside its row for each row asked for; (n,) int64."""
        level = self.place[rows] + random.random(len(rows))
        drawn = np.searchsorted(self.cumulative, level, side="right") - self.first[rows]
        positions: Ints = np.clip(drawn, 0, self.length[rows] - 1)
        return positions


def segment_starts(keys: Ints) -> Bools:
    """True where a sorted or grouped array of keys begins a new run."""
    starts = np.ones(len(keys), dtype=bool)
    starts[1:] = keys[1:] != keys[:-1]
    return starts


def place_in_segment(keys: Ints) -> Ints:
    """0, 1, 2, ... inside each run of equal keys."""
    starts = segment_starts(keys)
    places = np.arange(len(keys))
    return places - np.maximum.accumulate(np.where(starts, places, 0))


def running_within(values: Ints, keys: Ints) -> Ints:
    """Sum of the values before each one inside its run of equal keys; (n,) int64."""
    before = np.cumsum(values, dtype=np.int64) - values
    starts = segment_starts(keys)
    return before - before[np.flatnonzero(starts)][np.cumsum(starts) - 1] if len(keys) else before


def first_of_each(keys: Ints) -> Bools:
    """True at the first occurrence of every key, in any order of keys."""
    firsts = np.zeros(len(keys), dtype=bool)
    firsts[np.unique(keys, return_index=True)[1]] = True
    return firsts


def logistic(values: Floats) -> Floats:
    """1 / (1 + e^-x)."""
    return 1.0 / (1.0 + np.exp(-values))
