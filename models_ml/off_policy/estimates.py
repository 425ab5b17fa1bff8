"""Estimates: a number with its interval, or the reason that there is none.

Belongs here: effective sample, support, intervals, the verdict. Does not: estimators, tables.

No estimate decides anything by itself: what it assumes of listeners can't be seen in the lists it is made from. A gate
may refuse by it; letting something through takes lists that were given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtrit

from models_ml.arrays import Floats, Ints
from models_ml.errors import InputError
from models_ml.off_policy.estimators import ESTIMATORS, ITEM_ESTIMATORS, Setting
from models_ml.off_policy.logged import ListRewards, LoggedLists
from models_ml.off_policy.params import OffPolicyParams

IDENTIFIED: Final = "identified"
NOT_IDENTIFIABLE: Final = "not identifiable"


@dataclass(frozen=True)
class Estimate:
    """What a list brings under a policy; value, low and high are None where that can't be told, and reason says why.

    difference: the same less what the logged lists brought, with an interval of its own: the same listeners are in
    both, so that it is the narrower of the two.
    """

    value: float | None
    low: float | None
    high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    lists: int
    effective_lists: float
    support: float
    status: str
    reason: str | None


def estimate(
    logged: LoggedLists, target: Floats, reward: ListRewards, estimator: str, params: OffPolicyParams
) -> Estimate:
    """What lists bring under a target policy, and how much more than those that were given.

    target: (n, D, A) its chance of each arm at each draw given the draws before (policies.py makes them).
    reward: of each list, in the units of the estimate, which is by list.  estimator: a name of ESTIMATORS.
    The same arguments give the same estimate.
    """
    return estimates(logged, target, [reward], [estimator], params)[0]


def estimates(
    logged: LoggedLists,
    target: Floats,
    rewards: Sequence[ListRewards],
    estimators: Sequence[str],
    params: OffPolicyParams,
) -> list[Estimate]:
    """As `estimate`, of each estimator every reward: what doesn't turn on the reward is looked at once."""
    unknown = [name for name in estimators if name not in ESTIMATORS]
    if unknown:
        raise InputError(f"off_policy: estimator is {unknown[0]!r}; there are {', '.join(ESTIMATORS)}")
    of, found = Setting(logged, target, logged.ratios(target)), []
    for name in estimators:
        effective, support = 0.0, 0.0
        if logged.drawn.any():
            effective, support = _effective_lists(of, name), _support(of, name, params.least_chance)
        reason = _why_not(logged, effective, support, params)
        found += [_estimate(of, reward, name, params, (effective, support, reason)) for reward in rewards]
    return found


def _estimate(
    of: Setting, reward: ListRewards, estimator: str, params: OffPolicyParams, belief: tuple[float, float, str | None]
) -> Estimate:
    """belief: effective lists, support, and why there is no number, None where there is one."""
    lists, (effective, support, reason) = len(of.logged.listener), belief
    if reason is not None:
        nothing = (None, None, None)
        return Estimate(*nothing, *nothing, lists, effective, support, NOT_IDENTIFIABLE, reason)
    by_list = ESTIMATORS[estimator](of, reward)
    value = _interval(by_list, of.logged.cluster, params.confidence)
    difference = _interval(by_list - reward.total, of.logged.cluster, params.confidence)
    return Estimate(*value, *difference, lists, effective, support, IDENTIFIED, None)


def _why_not(logged: LoggedLists, effective: float, support: float, params: OffPolicyParams) -> str | None:
    """The reason that there is no number, None where there is one."""
    if not logged.drawn.any():
        return "no list had a slot left to chance"
    if effective < params.least_effective_lists:
        return f"effective sample of {effective:.1f} lists, below {params.least_effective_lists:g}"
    if support < params.least_support:
        return f"support of {support:.3f}, below {params.least_support:g}"
    return None


def _effective_lists(of: Setting, estimator: str) -> float:
    """Lists of equal weight that would say as much (Kish), at the draw where that is least; listeners count once."""
    weights = of.ratio if estimator in ITEM_ESTIMATORS else of.ratio.cumprod(axis=1)
    if estimator == "list_ips":
        weights = weights[:, -1:]
    by_listener = np.stack([np.bincount(of.logged.cluster, column) for column in weights.T], axis=1)
    squares = (by_listener**2).sum(axis=0)
    kish = by_listener.sum(axis=0) ** 2 / np.where(squares > 0, squares, 1.0)
    return float(kish.min())


def _support(of: Setting, estimator: str, least_chance: float) -> float:
    """Share of what the target would do that could have been logged: of draws, or of whole lists of them."""
    share = of.logged.support(of.target, least_chance)
    return float(share[of.logged.drawn].mean() if estimator in ITEM_ESTIMATORS else share.prod(axis=1).mean())


def _interval(by_list: Floats, cluster: Ints, confidence: float) -> tuple[float, float, float]:
    """(mean, low, high) of values by list, whose errors go together within a listener (Student's t over listeners)."""
    mean = float(by_list.mean())
    off = np.bincount(cluster, by_list - mean)
    listeners = len(off)
    error = np.sqrt((off**2).sum() * listeners / max(listeners - 1, 1)) / len(by_list)
    half = float(stdtrit(max(listeners - 1, 1), (1.0 + confidence) / 2.0) * error)
    return mean, mean - half, mean + half
