"""Confidence intervals of means over listeners: percentile bootstrap.

Belongs here: resampling of rows or of clusters of rows, for one mean, a paired difference, a ratio, or many means.
Does not: what the rows mean.

The Poisson bootstrap: in each resample every row counts Poisson(1) times (Chamandy et al., "Estimating Uncertainty for
Massive Data Streams", 2012). Multinomial counts would have to add up to n over all blocks; Poisson counts of different
rows are independent, so that a block of rows is drawn, used and forgotten without a look at the others. A mean is the
quotient of two resampled sums, so that the varying number of rows cancels out.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import threadpoolctl

from models_ml.arrays import Bools, Floats, Ints, ranges
from models_ml.errors import InputError

_DRAWS_AT_ONCE = 1 << 20
_LEVELS: Final = 1 << 16
# Chances of 0, 1, 2, ..., 8: 1/e, 1/e, 1/2e, 1/6e, ... More comes once in 900,000 draws, below what 16 bits tell apart.
_CHANCES = np.exp(-1.0) / np.cumprod([1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])


@dataclass(frozen=True)
class Interval:
    """A mean, or a quotient or difference of means, with its interval; count: the rows that took part."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Intervals:
    """Many intervals: mean, low, high (g, c) float64 and count (g, c) int64, for g groups of rows and c columns."""

    mean: Floats
    low: Floats
    high: Floats
    count: Ints


def mean_interval(
    values: Floats, seed: int, resamples: int = 1000, level: float = 0.95, clusters: Ints | None = None
) -> Interval:
    """Mean of the values with its interval; NaN and infinity are left out, nothing else gives NaN and count 0.

    values: (n,).  clusters: (n,) rows with the same number are resampled together, for rows that aren't independent.
    The same arguments give the same interval.
    """
    present = np.isfinite(values)
    return _interval(values, np.ones(len(values)), present, clusters, _Draws(seed, resamples, level))


def paired_difference(
    a: Floats, b: Floats, seed: int, resamples: int = 1000, level: float = 0.95, clusters: Ints | None = None
) -> Interval:
    """Mean of a minus mean of b over the rows that have both, the same resamples for both; see `mean_interval`."""
    return mean_interval(a - b, seed, resamples, level, clusters)


def ratio_of_means(
    a: Floats, b: Floats, seed: int, resamples: int = 1000, level: float = 0.95, clusters: Ints | None = None
) -> Interval:
    """Mean of a over mean of b over the rows that have both, the same resamples for both; see `mean_interval`.

    A resample in which b comes to 0 is left out; NaN where b itself comes to 0.
    """
    present = np.isfinite(a) & np.isfinite(b)
    return _interval(a, b, present, clusters, _Draws(seed, resamples, level))


def mean_intervals(values: Floats, groups: Bools, seed: int, resamples: int = 1000, level: float = 0.95) -> Intervals:
    """Mean of each column in each group of rows, from the same resamples for all of them.

    values: (n, c), NaN is left out.  groups: (n, g) bool.
    """
    present = np.isfinite(values)
    return _resampled(np.where(present, values, 0.0), present, groups, _Draws(seed, resamples, level))


@dataclass(frozen=True)
class _Draws:
    """How often and from which seed; InputError for what makes no interval."""

    seed: int
    resamples: int
    level: float

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise InputError(f"bootstrap: resamples is {self.resamples}; it must be 1 or more")
        if not 0.0 < self.level < 1.0:
            raise InputError(f"bootstrap: level is {self.level:g}; it must lie between 0 and 1")


def _interval(numerator: Floats, denominator: Floats, present: Bools, clusters: Ints | None, draws: _Draws) -> Interval:
    """The interval of one quotient of sums over the rows that are present."""
    sums: Floats = np.stack([numerator[present], denominator[present]], axis=1).astype(np.float64)
    if clusters is not None:
        _, place = np.unique(clusters[present], return_inverse=True)
        sums = np.stack([np.bincount(place, sums[:, 0]), np.bincount(place, sums[:, 1])], axis=1)
    found = _resampled(sums[:, :1], sums[:, 1:], np.ones((len(sums), 1), dtype=bool), draws)
    mean, low, high = (float(values[0, 0]) for values in (found.mean, found.low, found.high))
    return Interval(mean, low, high, int(present.sum()))


def _resampled(numerators: Floats, denominators: npt.NDArray[np.generic], groups: Bools, draws: _Draws) -> Intervals:
    """Sum of numerators over sum of denominators, in each group; all (n, c), groups (n, g).

    Products of matrices are summed by one thread, in blocks of a fixed size: the same on every run.  Of columns with
    the same denominators, as most metrics of the same listeners have, these are summed once: 6.5 s in place of 10.7.
    """
    first, kind = _alike(denominators)
    denominators = denominators[:, first]
    group_count, columns = groups.shape[1], numerators.shape[1]
    totals = np.zeros((group_count, columns + denominators.shape[1]))
    resampled = np.zeros((group_count, draws.resamples, totals.shape[1]))
    random, table = np.random.default_rng(draws.seed), _poisson_table()
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        for start, stop in ranges(len(numerators), max(1, _DRAWS_AT_ONCE // draws.resamples)):
            counts = table[random.integers(0, _LEVELS, (stop - start, draws.resamples), dtype=np.uint16)]
            block = np.concatenate([numerators[start:stop], denominators[start:stop]], axis=1, dtype=np.float64)
            for group in range(group_count):
                rows = np.flatnonzero(groups[start:stop, group])
                totals[group] += block[rows].sum(axis=0)
                resampled[group] += (counts if len(rows) == len(counts) else counts[rows]).T @ block[rows]
    present = np.stack([(denominators != 0)[groups[:, group]].sum(axis=0) for group in range(group_count)])
    means = _quotient(totals[:, :columns], totals[:, columns:][:, kind])
    low, high = _ends(_quotient(resampled[:, :, :columns], resampled[:, :, columns:][:, :, kind]), draws.level)
    # Of equal values, the resampled means differ from the mean by rounding: an interval holds its mean all the same.
    return Intervals(means, np.minimum(low, means), np.maximum(high, means), present[:, kind])


def _alike(columns: npt.NDArray[np.generic]) -> tuple[list[int], list[int]]:
    """(the first column of each kind, the kind of each column): columns of one kind hold the same values."""
    places: dict[bytes, int] = {}
    kind = [places.setdefault(column.tobytes(), len(places)) for column in columns.T]
    return [kind.index(each) for each in range(len(places))], kind


def _poisson_table() -> Floats:
    """(65536,) how often a row counts, for each 16-bit number drawn: Poisson(1) to within 1 in 65,536.

    Four times as fast as the generator's own Poisson numbers; its mean is 1, its variance 0.99997.
    """
    bounds = np.round(np.cumsum(_CHANCES) * _LEVELS).astype(np.int64)
    return np.searchsorted(bounds, np.arange(_LEVELS), side="right").astype(np.float64)


def _quotient(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient, NaN where the denominator is 0."""
    quotient = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


def _ends(statistics: Floats, level: float) -> tuple[Floats, Floats]:
    """(low, high) (g, c) of statistics (g, resamples, c), NaN left out."""
    tails = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    ends = np.full((2, statistics.shape[0], statistics.shape[2]), np.nan)
    some = np.isfinite(statistics).any(axis=1)
    filled = np.moveaxis(statistics, 1, 2)[some]
    if len(filled):
        whole = bool(np.isfinite(filled).all())
        ends[:, some] = np.quantile(filled, tails, axis=1) if whole else np.nanquantile(filled, tails, axis=1)
    return ends[0], ends[1]
