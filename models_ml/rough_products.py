"""Inner products in fewer digits, with a bound on what they miss: which of many vectors can be among a query's best.

Belongs here: the product in bfloat16, how far it can be off, what it leaves to be looked at.
Does not: the scores that count, which are of whole numbers, and whether it is worth it (retrieval.py).

The bound is Cauchy and Schwarz on what rounding took away: with q = q' + dq and v = v' + dv,
|qv - q'v'| <= |q| |dv| + |dq| |v'|.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from models_ml.arrays import Bools, Floats, Ints

# Vectors of about one length share a bound: of 18,789 served ones, sought 416, eight bands leave 496 to be looked at,
# four 530, sixteen 479, before groups, which leave more.
_BANDS = 8
# Columns of a group, of which only the best is looked at to find how high the k-th best is at least.
_GROUP = 32
# A number of eight binary digits is off by at most this share of it.
_ROUNDING = 2.0**-8
# What adding up some hundred products in single precision can be off by, in any order, as a share of both lengths.
_ADDING = 2.0**-14


@dataclass(frozen=True)
class Contenders:
    """What can be among the best of each query.

    rows, places: pairs of query and vector, by row.  surely: (b,) False for queries of which nothing is said.
    """

    rows: Ints
    places: Ints
    surely: Bools


class RoughProducts:
    """Products with vectors that were rounded once."""

    def __init__(self, vectors: Floats) -> None:
        """vectors: (m, f) float32, finite, at least one."""
        length = np.linalg.norm(vectors, axis=1)
        self._order = np.argsort(length, kind="stable")
        sorted_vectors = torch.from_numpy(vectors[self._order])
        self._rounded = sorted_vectors.bfloat16()
        lost = np.linalg.norm((sorted_vectors - self._rounded.float()).numpy(), axis=1)
        kept = np.linalg.norm(self._rounded.float().numpy(), axis=1)
        edges = np.linspace(0, len(vectors), _BANDS + 1).astype(int)
        self._bands = [(start, stop) for start, stop in pairwise(edges.tolist()) if start < stop]
        self._lost = np.array([lost[slice(*band)].max() for band in self._bands])
        self._kept = np.array([kept[slice(*band)].max() for band in self._bands])

    def contenders(self, queries: Floats, k: int) -> Contenders:
        """queries: (b, f) float32, finite.  All that can be among the k best of a query, where it is sure of any."""
        torch.set_num_threads(1)  # of this thread: others search beside it
        asked = torch.from_numpy(queries)
        rounded = asked.bfloat16()
        # As whole numbers these order as the scores do, where they are not negative.
        bits = torch.mm(rounded, self._rounded.T).view(torch.int16).numpy()
        off = self._bound(queries, rounded.float().numpy())
        reached = self._at_least_kth(bits, off, max(k, 1))
        room = (reached[:, None] - off) / (1 + _ROUNDING)
        surely: Bools = np.all(room > 0, axis=1)
        floor = _bits_below(np.where(surely[:, None], room, np.float32(np.inf)))
        taken = np.empty((len(queries), len(self._order)), dtype=bool)
        for column, (start, stop) in enumerate(self._bands):
            np.greater_equal(bits[:, start:stop], floor[:, column, None], out=taken[:, start:stop])
        rows, places = np.divmod(np.flatnonzero(taken), len(self._order))
        return Contenders(rows, self._order[places], surely)

    def _bound(self, queries: Floats, rounded: Floats) -> Floats:
        """(b, bands) how far a product with a vector of the band can be off, before it is rounded itself."""
        length = np.linalg.norm(queries, axis=1)[:, None]
        lost = np.linalg.norm(queries - rounded, axis=1)[:, None]
        off = length * self._lost + lost * self._kept + _ADDING * length * (self._kept + self._lost)
        return np.asarray(off, dtype=np.float32)

    def _at_least_kth(self, bits: npt.NDArray[np.int16], off: Floats, k: int) -> Floats:
        """(b,) a value that the true products of k vectors reach; minus infinity where there are too few vectors."""
        least: list[Floats] = [np.full((len(bits), 1), -np.inf, dtype=np.float32)]
        size = max(1, min(_GROUP, bits.shape[1] // (2 * k)))
        for column, (start, stop) in enumerate(self._bands):
            groups = (stop - start) // size
            grouped = bits[:, start : start + groups * size].reshape(len(bits), size, groups)
            best = _values(grouped.max(axis=1))
            least.append(best - _ROUNDING * np.abs(best) - off[:, column, None])
        together = np.concatenate(least, axis=1)
        if together.shape[1] <= k:
            return np.full(len(bits), -np.inf, dtype=np.float32)
        together.partition(together.shape[1] - k, axis=1)
        return np.asarray(together[:, together.shape[1] - k])


def _values(bits: npt.NDArray[np.int16]) -> Floats:
    """The float32 whose upper half this is."""
    return (bits.astype(np.int32) << 16).view(np.float32)


def _bits_below(values: Floats) -> npt.NDArray[np.int16]:
    """The upper half of numbers that are not negative: at most as much."""
    return (values.astype(np.float32).view(np.int32) >> 16).astype(np.int16)
