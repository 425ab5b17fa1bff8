"""Policies over arms that logged lists can tell of.

Belongs here: what a policy would have done at each draw, given the draws before it. Does not: what that is worth.

Only the arm of a draw is left to a policy. How many slots go to arms, which recordings are candidates, how they are
scored and which rules hold is as it was logged: what changes those can't be judged by these lists.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from models_ml.arrays import Floats
from models_ml.exploration.arms import NOTHING_SPECIAL, arm_chances
from models_ml.exploration.params import ExplorationParams
from models_ml.off_policy.logged import LoggedLists

LOGGING: Final = "logging"


def logging(logged: LoggedLists) -> Floats:
    """As it was: the estimate is the mean of what came of the lists."""
    return logged.chance


def uniform(logged: LoggedLists) -> Floats:
    """Every arm that has a track left alike."""
    return by_weights(logged, np.ones(logged.alpha.shape))


def nothing_special(logged: LoggedLists) -> Floats:
    """No arm of the under-exposed: their slots go to everything else, by the same softmax."""
    only = np.array([name == NOTHING_SPECIAL for name in logged.arm_names], dtype=np.float64)
    return by_weights(logged, np.broadcast_to(only, logged.alpha.shape))


def greedy(logged: LoggedLists) -> Floats:
    """The arm whose posterior mean was the highest of those that have a track left, the first of equals."""
    mean = logged.alpha / (logged.alpha + logged.beta)
    worth = np.where(logged.chance > 0, mean[:, None, :], -np.inf)
    return np.asarray(np.eye(len(logged.arm_names))[worth.argmax(axis=2)])


def by_settings(logged: LoggedLists, settings: ExplorationParams) -> Floats:
    """Arms as other settings would have had them, by what was known of each: `policy` and `arm_floor` count.

    What else the settings say, of slots, of softmaxes, of what makes an arm, these lists can't tell.
    """
    known, row = np.unique(np.hstack([logged.alpha, logged.beta]), axis=0, return_inverse=True)
    alpha, beta = np.split(known, 2, axis=1)
    return by_weights(logged, arm_chances(alpha, beta, settings)[row.reshape(-1)])


def by_weights(logged: LoggedLists, weights: Floats) -> Floats:
    """(n, D, A) arms by weights of the list, renormalised over those that have a track left.

    weights: (n, A), none below 0.  Where no arm of weight has a track left the policy does as was logged.
    """
    offered = np.where(logged.chance > 0, weights[:, None, :], 0.0)
    total = offered.sum(axis=2, keepdims=True)
    return np.where(total > 0, offered / np.where(total > 0, total, 1.0), logged.chance)


POLICIES: Final[dict[str, Callable[[LoggedLists], Floats]]] = {
    "greedy": greedy,
    LOGGING: logging,
    "nothing_special": nothing_special,
    "uniform": uniform,
}
