"""Power: how surely an effect is seen, and how many listeners that takes.

Belongs here: arithmetic before an experiment. Does not: results, which the warehouse computes.
"""

from math import ceil, sqrt
from statistics import NormalDist

_NORMAL = NormalDist()


def standard_error(spread: float, listeners: float, weight: float = 0.5, covariate_correlation: float = 0.0) -> float:
    """Of the difference of two means.

    spread: standard deviation of the metric between listeners.  listeners: in both variants together.
    weight: share of one of the two.  covariate_correlation: with listening before, which CUPED takes out.
    """
    left = spread * spread * (1 - covariate_correlation * covariate_correlation)
    return sqrt(left / (listeners * weight * (1 - weight)))


def power(effect: float, error: float, alpha: float = 0.05) -> float:
    """Chance that a two-sided test at one look finds the effect.

    effect: difference of means.  error: its standard error.
    """
    bound, shift = _NORMAL.inv_cdf(1 - alpha / 2), abs(effect) / error
    return _NORMAL.cdf(shift - bound) + _NORMAL.cdf(-shift - bound)


def listeners_needed(
    effect: float, spread: float, alpha: float = 0.05, chance: float = 0.8, covariate_correlation: float = 0.0
) -> int:
    """Listeners, in two variants of equal weight together, with whom the effect is found with that chance."""
    bounds = _NORMAL.inv_cdf(1 - alpha / 2) + _NORMAL.inv_cdf(chance)
    return ceil((standard_error(spread, 1.0, 0.5, covariate_correlation) * bounds / effect) ** 2)
