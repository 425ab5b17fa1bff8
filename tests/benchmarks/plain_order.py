"""The plain job's order heard: roughly best first, neighbours that flow, none by one artist where it can be helped.

Belongs here: the order of thirty tracks already chosen. Does not: choosing them (plain_draws.py).
"""

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.exploration.params import ExplorationParams
from models_ml.flow import ArrangementParams

FLOW_WEIGHT, HEARD_WITHIN = ArrangementParams().flow_weight, ExplorationParams().heard_within
# What 1 - cosine counts: models_ml/flow.py.
VECTOR_SCALE = np.float32(0.65)


def order_heard(artist: Ints, by_chance: Bools, directions: Floats) -> Ints:
    """(b, s) places of each list's tracks in the order heard; tracks come best first.

    artist: (b, s).  by_chance: (b, s) slots of arms, which share the first half.  directions: (b, s, f) unit vectors.
    """
    count, length = artist.shape
    rows = np.arange(count)
    gaps = np.clip(1 - directions @ directions.transpose(0, 2, 1), 0, 1)
    gaps *= VECTOR_SCALE * np.float32(FLOW_WEIGHT)
    place = np.minimum(np.arange(length, dtype=np.float32), _latest(by_chance)) / np.float32(length)
    same = artist[:, :, None] == artist[:, None, :]
    left = same.sum(axis=2, dtype=np.int8)
    order = np.empty((count, length), dtype=np.int64)
    played = np.zeros((count, length), dtype=bool)
    just_played = np.zeros((count, length), dtype=bool)
    cost = place
    for slot in range(length):
        # An artist with so many tracks left that only every second slot suffices has to come now.
        pressing = left > (length - slot) // 2
        rank = np.where(just_played, 2.0, np.where(pressing, 0.0, 1.0)).astype(np.float32)
        pick = (cost + 10 * rank + 100 * played).argmin(axis=1)
        order[:, slot] = pick
        played[rows, pick] = True
        just_played = same[rows, pick]
        left -= just_played
        cost = place + gaps[rows, pick]
    return order


def _latest(by_chance: Bools) -> Floats:
    """(b, s) the place that each slot of an arm counts as having at the latest, so that they share the first ones."""
    number = by_chance.cumsum(axis=1)
    latest = number * (HEARD_WITHIN / np.maximum(number[:, -1:], 1) - 1.0) - 0.5
    return np.where(by_chance, latest, np.inf).astype(np.float32)
