"""Logged lists as arrays: which arm each draw took, among which, and what came of it.

Belongs here: the arrays, their checks, what a target policy weighs on them. Does not: policies, estimators, tables.

An action is an arm. Within the arm the track is drawn by the same softmax whatever the policy over arms, so that its
chance cancels out of every weight; and what fills the other slots follows from the draws in the same way.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.errors import InputError

# Rounding in chances that were stored.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class LoggedLists:
    """n lists of up to D draws among A arms.

    listener: (n,) int64, lists of one listener are not independent.  arm: (n, D) int64, -1 where nothing was drawn.
    chance: (n, D, A) of each arm at that draw given those before, 0 for arms that had nothing left.
    alpha, beta: (n, A) posterior of each arm for the list's segment, as it was known then.
    """

    arm_names: tuple[str, ...]
    listener: Ints
    arm: Ints
    chance: Floats
    alpha: Floats
    beta: Floats

    def __post_init__(self) -> None:
        shape = (*self.arm.shape, len(self.arm_names))
        found = {name: getattr(self, name).shape for name in ("listener", "chance", "alpha", "beta")}
        of_lists = (shape[0], shape[2])
        if found != {"listener": shape[:1], "chance": shape, "alpha": of_lists, "beta": of_lists}:
            raise InputError(f"logged lists: shapes {found} don't fit {shape[0]} lists of {shape[1:]} draws and arms")
        _distribution(self.chance, self.drawn, "chance")
        wrong = np.argwhere(self.drawn & ~(_taken(self.chance, self.arm) > 0))
        if len(wrong):
            row, draw = wrong[0].tolist()
            raise InputError(f"logged lists: arm {self.arm[row, draw]} of list {row}, draw {draw} had no chance")

    @cached_property
    def drawn(self) -> Bools:
        """(n, D) True where chance drew."""
        return self.arm >= 0

    @cached_property
    def cluster(self) -> Ints:
        """(n,) listeners numbered from 0, ascending."""
        return np.unique(self.listener, return_inverse=True)[1].reshape(-1)

    def ratios(self, target: Floats) -> Floats:
        """(n, D) how much likelier the target is to take the arm that was taken, 1 where nothing was drawn.

        target: (n, D, A) the target's chance of each arm at the same draw given the same draws before.
        Raises InputError where it is no distribution, or takes what had nothing left.
        """
        _distribution(target, self.drawn, "target")
        if (target[~(self.chance > 0)] > _ROUNDING).any():
            raise InputError("target: takes an arm that had nothing left at the draw; give it no chance there")
        taken = _taken(target, self.arm), _taken(self.chance, self.arm)
        return np.where(self.drawn, taken[0] / np.where(self.drawn, taken[1], 1.0), 1.0)

    def support(self, target: Floats, least_chance: float) -> Floats:
        """(n, D) share of the target's chances that lie on arms at least so likely when it was logged."""
        return np.where(self.drawn, np.where(self.chance >= least_chance, target, 0.0).sum(axis=2), 1.0)


@dataclass(frozen=True)
class ListRewards:
    """What came of n lists: (n, D) of each draw, 0 where nothing was drawn, and (n,) of all other slots."""

    drawn: Floats
    rest: Floats

    @cached_property
    def total(self) -> Floats:
        """(n,) of each list."""
        return np.asarray(self.drawn.sum(axis=1) + self.rest)


def _taken(of_arms: Floats, arm: Ints) -> Floats:
    """(n, D) the value of the arm that was taken; anything where none was."""
    return np.asarray(np.take_along_axis(of_arms, np.maximum(arm, 0)[..., None], axis=2)[..., 0])


def _distribution(chance: Floats, drawn: Bools, name: str) -> None:
    """InputError unless chances of each draw are none below 0 and add up to 1."""
    total = chance.sum(axis=2)
    wrong = np.argwhere(drawn & (~(np.abs(total - 1.0) <= _ROUNDING) | (chance < 0).any(axis=2)))
    if len(wrong):
        row, draw = wrong[0].tolist()
        message = f"{name}: chances of list {row}, draw {draw} are {chance[row, draw].tolist()}"
        raise InputError(f"{message}; none may be below 0, together they are 1")
