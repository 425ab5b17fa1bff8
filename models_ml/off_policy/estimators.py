"""Estimators: one number a list, whose mean is what a list brings under the target policy.

Belongs here: the five estimators. Does not: intervals, when a number is believed (estimates.py).

Rewards of draws are credited in the order of the draws. Slots that no draw for an arm filled come after all of them
and follow from them, so that the whole list's weight is theirs where weights add up over a list.

| estimator | weight of a reward | right where |
|---|---|---|
| item_position_ips | its own draw's, 1 for other slots (Li et al., KDD 2018) | an outcome depends on its track alone |
| self_normalised_ips | the same by the draw's mean weight (Swaminathan, NIPS 2015) | the same; a bias of 1/n |
| reward_interaction_ips | draws up to its own (McInerney et al., KDD 2020) | it depends on no later draw |
| cascade_dr | the same, of what a model of arms missed (Kiyohara et al., WSDM 2022) | the same; less noise |
| list_ips | all draws of the list | always |
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from models_ml.arrays import Floats, Ints
from models_ml.off_policy.logged import ListRewards, LoggedLists

_HALVES = 2


@dataclass(frozen=True)
class Setting:
    """What estimators go by beside the reward.  ratio: (n, D) of LoggedLists.ratios(target)."""

    logged: LoggedLists
    target: Floats
    ratio: Floats


def item_position_ips(of: Setting, reward: ListRewards) -> Floats:
    """(n,) each draw by its own weight."""
    return np.asarray((of.ratio * reward.drawn).sum(axis=1) + reward.rest)


def self_normalised_ips(of: Setting, reward: ListRewards) -> Floats:
    """(n,) linearised, so that the mean is the estimate and the spread its error.

    A draw's estimate is m = sum(w r) / sum(w), times the share of lists that have it; its influence (delta method) is
    share * w (r - m) / mean(w) + m * [has it].
    """
    drawn, share = of.logged.drawn, of.logged.drawn.mean(axis=0)
    weight = np.where(drawn, of.ratio, 0.0)
    mean_weight = weight.mean(axis=0)
    some = np.where(mean_weight > 0, mean_weight, 1.0)
    mean = (weight * reward.drawn).mean(axis=0) / some
    return np.asarray((share * weight * (reward.drawn - mean) / some + mean * drawn).sum(axis=1) + reward.rest)


def reward_interaction_ips(of: Setting, reward: ListRewards) -> Floats:
    """(n,) each draw by the weights up to its own, the other slots by all."""
    upto = of.ratio.cumprod(axis=1)
    return np.asarray((upto * reward.drawn).sum(axis=1) + upto[:, -1] * reward.rest)


def list_ips(of: Setting, reward: ListRewards) -> Floats:
    """(n,) the whole list by the product of its weights."""
    return np.asarray(of.ratio.prod(axis=1) * reward.total)


def cascade_dr(of: Setting, reward: ListRewards) -> Floats:
    """(n,) from the last draw to the first: V = E_target[Q] + w (r + V_next - Q), V after all the other slots' reward.

    Q of an arm at a draw: mean of r and what is expected of the draws after it under the target. All of it, what is
    expected too, is learnt from the lists of the other half of the listeners, so that nothing of a list predicts it
    (fitted Q, cross-fitted).
    """
    logged = of.logged
    fold, lists = logged.cluster % _HALVES, np.arange(len(logged.cluster))
    value = reward.rest.astype(np.float64)
    expected = np.tile(value, (_HALVES, 1))  # (2, n) of every list, by what the lists outside each half teach
    for draw in range(logged.arm.shape[1] - 1, -1, -1):
        drawn, arm, came = logged.drawn[:, draw], logged.arm[:, draw], reward.drawn[:, draw]
        means = [
            _arm_means(arm[fold != half], (came + expected[half])[fold != half], len(logged.arm_names))
            for half in range(_HALVES)
        ]
        quality = np.stack(means)  # (2, A)
        ahead = (of.target[:, draw] * quality[:, None]).sum(axis=2)  # (2, n)
        missed = came + value - quality[fold, np.maximum(arm, 0)]
        value = np.where(drawn, ahead[fold, lists] + of.ratio[:, draw] * missed, value)
        expected = np.where(drawn, ahead, expected)
    return value


def _arm_means(arm: Ints, outcome: Floats, arms: int) -> Floats:
    """(A,) mean outcome of each arm over lists, that of all where none drew it.  arm: -1 where nothing was drawn."""
    some = arm >= 0
    counts = np.bincount(arm[some], minlength=arms)
    sums = np.bincount(arm[some], outcome[some], minlength=arms)
    overall = sums.sum() / max(counts.sum(), 1)
    return np.where(counts > 0, sums / np.maximum(counts, 1), overall)


ITEM_ESTIMATORS: Final = ("item_position_ips", "self_normalised_ips")
ESTIMATORS: Final[dict[str, Callable[[Setting, ListRewards], Floats]]] = {
    "item_position_ips": item_position_ips,
    "self_normalised_ips": self_normalised_ips,
    "list_ips": list_ips,
    "cascade_dr": cascade_dr,
    "reward_interaction_ips": reward_interaction_ips,
}
