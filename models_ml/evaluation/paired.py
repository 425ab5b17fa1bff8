"""Two models, or two configurations, side by side on the same listeners.

Belongs here: the difference and the quotient of the means of many metrics, with paired bootstrap intervals.
Does not: the metrics, which models are compared, what a difference decides.

A listener's values under both are correlated: who is easy to please is so by either list.  The interval of the
difference, resampling listeners with both of their values, is therefore narrower than two intervals side by side tell.
"""

from dataclasses import dataclass

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.errors import InputError
from models_ml.evaluation.bootstrap import mean_intervals


@dataclass(frozen=True)
class PairedIntervals:
    """For g groups of listeners and c metrics.

    difference: (g, c) mean of a minus mean of b, over the listeners that have both; NaN where nobody has.
    ratio: (g, c) the one mean over the other, NaN where that of b is 0.
    low, high: (g, c) the interval of the difference.
    count: (g, c) int64 listeners that have both.
    """

    difference: Floats
    ratio: Floats
    low: Floats
    high: Floats
    count: Ints


def paired_intervals(
    values_a: Floats,
    values_b: Floats,
    resamples: int,
    seed: int,
    groups: Bools | None = None,
    level: float = 0.95,
) -> PairedIntervals:
    """How much better a is than b, metric by metric, by the same resamples of listeners for both.

    values_a, values_b: (n, c) a row a listener, a column a metric; NaN in either leaves a listener out of that metric.
    groups: (n, g) bool, overlapping as they may; None: all listeners as the only group.
    The same arguments give the same intervals.
    Raises InputError where the shapes do not go together.
    """
    if values_a.ndim != 2 or values_a.shape != values_b.shape:
        said = f"paired intervals: values of shapes {values_a.shape} and {values_b.shape}"
        raise InputError(f"{said}; give two of one shape, a row a listener, a column a metric")
    groups = np.ones((len(values_a), 1), dtype=bool) if groups is None else groups
    if groups.ndim != 2 or len(groups) != len(values_a):
        raise InputError(f"paired intervals: groups of shape {groups.shape} for {len(values_a)} listeners")
    both = np.isfinite(values_a) & np.isfinite(values_b)
    a, b = (np.where(both, values, 0.0).astype(np.float64) for values in (values_a, values_b))
    found = mean_intervals(np.where(both, a - b, np.nan), groups, seed, resamples, level)
    return PairedIntervals(found.mean, _ratio(a, b, groups), found.low, found.high, found.count)


def _ratio(a: Floats, b: Floats, groups: Bools) -> Floats:
    """(g, c) sum of a over sum of b in each group, NaN where the latter is 0."""
    over, under = (np.stack([values[members].sum(axis=0) for members in groups.T]) for values in (a, b))
    quotient = np.full(over.shape, np.nan)
    np.divide(over, under, out=quotient, where=under != 0)
    return quotient
