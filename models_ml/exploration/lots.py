"""Lots: one slot of many lists given by chance, and the exact chance its track had.

Belongs here: arm, then track within the arm; tracks by softmax alone; what is recorded of a draw.
Does not: what is still allowed (assembly.py), which arms there are (arms.py).

An explore draw takes an arm by its chance, renormalised over the arms that have a track left, then a track of the arm
by softmax(unseen / width). The track's chance is summed over all arms it belongs to. What calibration would add to a
score counts in no explore draw, else the mix of the list would undo what the arm is for; later draws make up for it.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.exploration.uniforms import Use, chosen_by, uniforms


@dataclass(frozen=True)
class Lots:
    """What chance decides of b lists, beside a slate of K entries.

    unseen: (b, K) float64 what an entry is worth to an arm: its score, less the more slots it had lately.
    value: (b, K) its score, far above with a slot of its own.
    arms: (b, K) int64, bit a set for entries of arm a, at least one for each.  chance: (b, A) of each arm, above 0.
    explore_draws: (b,) first so many draws go to arms.  only_new: (b,) True where these give artists new
    to the listener, if any are left.  is_soft: (b,) True where all others are by softmax.
    width, soft_width: (b,) score that makes one e times as likely as another, by arm and without.
    key: (b,) uint64 of uniforms.keys.
    """

    unseen: Floats
    value: Floats
    arms: Ints
    chance: Floats
    explore_draws: Ints
    only_new: Bools
    is_soft: Bools
    width: Floats
    soft_width: Floats
    key: Ints

    def rows(self, chosen: Ints) -> "Lots":
        """Of some of the listeners."""
        return Lots(*(getattr(self, part.name)[chosen] for part in fields(Lots)))

    def ordered(self, places: Ints) -> "Lots":
        """With the entries in another order.  places: (b, K)."""
        unseen, value, arms = (
            np.take_along_axis(self.unseen, places, axis=1),
            np.take_along_axis(self.value, places, axis=1),
            np.take_along_axis(self.arms, places, axis=1),
        )
        return replace(self, unseen=unseen, value=value, arms=arms)


@dataclass(frozen=True)
class Drawn:
    """One draw of b lists: the entry, its arm (-1 for none), p_arm (NaN for none), p_track, of how many entries.

    open_arms: int64, bit a set for each arm that had a track left; 0 where no arm was drawn.
    """

    entry: Ints
    arm: Ints
    p_arm: Floats
    p_track: Floats
    feasible_count: Ints
    open_arms: Ints


def by_arm(lots: Lots, open_to: Bools, draw: int) -> Drawn:
    """An explore draw.  open_to: (b, K) what the rules allow, an entry in each row at least.  draw: from 0."""
    rows = np.arange(len(open_to))
    best, total = _within_arms(lots, open_to)
    feasible = np.isfinite(best)
    offered = np.where(feasible, lots.chance, 0.0)
    arm, p_arm = chosen_by(offered, uniforms(lots.key, draw, Use.ARM))
    of_arm = open_to & ((lots.arms >> arm[:, None]) & 1).astype(bool)
    weight = _softmax_weights(lots.unseen, lots.width, of_arm)
    entry, _ = chosen_by(weight, uniforms(lots.key, draw, Use.TRACK))
    # Over every route: each arm that the track is of and that could have been taken.
    routes = ((lots.arms[rows, entry][:, None] >> np.arange(offered.shape[1])) & 1).astype(bool) & feasible
    lead = np.where(routes, lots.unseen[rows, entry][:, None] - np.where(routes, best, 0.0), -np.inf)
    within = np.exp(lead / lots.width[:, None]) / np.where(total > 0, total, 1.0)
    p_track = (offered * within).cumsum(axis=1)[:, -1] / offered.cumsum(axis=1)[:, -1]
    open_arms = (feasible << np.arange(offered.shape[1])).sum(axis=1)
    return Drawn(entry, arm, p_arm, p_track, open_to.sum(axis=1), open_arms)


def by_softmax(lots: Lots, value: Floats, open_to: Bools, draw: int) -> Drawn:
    """A draw by softmax(value / soft_width) of all that is open.  value: (b, K)."""
    weight = _softmax_weights(value, lots.soft_width, open_to)
    entry, p_track = chosen_by(weight, uniforms(lots.key, draw, Use.TRACK))
    none = np.full(len(entry), -1)
    return Drawn(entry, none, np.full(len(entry), np.nan), p_track, open_to.sum(axis=1), np.zeros_like(none))


def _softmax_weights(value: Floats, width: Floats, open_to: Bools) -> Floats:
    """(b, K) weights of a softmax, the highest of each row 1, 0 for what is not open."""
    masked = np.where(open_to, value, -np.inf)
    return np.asarray(np.exp((masked - masked.max(axis=1, keepdims=True)) / width[:, None]))


def _within_arms(lots: Lots, open_to: Bools) -> tuple[Floats, Floats]:
    """((b, A) best worth of each arm, -inf where nothing is open, (b, A) the sum of its softmax weights)."""
    shape = lots.chance.shape
    parts = []
    for arm in range(shape[1]):
        row, entry = np.nonzero(open_to & ((lots.arms >> arm) & 1).astype(bool))
        parts.append((row * shape[1] + arm, lots.unseen[row, entry], lots.width[row]))
    group, worth, width = (np.concatenate(part) for part in zip(*parts, strict=True))
    best = np.full(shape[0] * shape[1], -np.inf)
    np.maximum.at(best, group, worth)
    weight = np.exp((worth - best[group]) / width)
    total = np.bincount(group, weight, minlength=len(best))
    return best.reshape(shape), np.asarray(total.reshape(shape), dtype=np.float64)
