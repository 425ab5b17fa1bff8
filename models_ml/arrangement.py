"""The order heard: roughly best first, neighbours that flow, no two by one artist wherever that can be done.

Belongs here: the order of tracks already chosen.
Does not: choosing them, how far two lie apart (flow.py).
"""

import numpy as np

from models_ml.arrays import Bools, Floats, Ints


def arrange(artists: Ints, gaps: Floats | None = None, flow_weight: float = 0.0, latest: Floats | None = None) -> Ints:
    """(b, s) places: the order in which to play each list's tracks, which come best first.

    artists: (b, s) first-credited artist of each track.  gaps: (b, s, s) how far each two lie apart, 0 to 1.
    latest: (b, s) the place, from 0, that each counts as having where its own is later; None: its own everywhere.
    For each slot a track whose artist did not just play; but as soon as an artist has so many tracks left that only
    every second slot suffices, that artist's turn comes first.  So neighbours differ whenever any order has that
    (no artist above half the list, rounded up); else they repeat only where they must.
    Among these the one with the least place / s + flow_weight x gap to the one before, ties by place: the best left,
    unless one at most flow_weight x s places worse follows so much better.
    """
    count, length = artists.shape
    rows = np.arange(count)
    same = artists[:, :, None] == artists[:, None, :]
    left = same.sum(axis=2)
    waiting = np.ones((count, length), dtype=bool)
    just_played = np.zeros((count, length), dtype=bool)
    order = np.empty((count, length), dtype=np.int64)
    place = np.broadcast_to(np.arange(length, dtype=np.float32), (count, length))
    by_place = (place if latest is None else np.minimum(place, latest)) / np.float32(max(length, 1))
    cost = by_place
    for slot in range(length):
        after = length - slot - 1
        pressing = left > (after + 1) // 2
        # Pressing and different, different, anything left.
        preference = waiting * (1 + ~just_played * (1 + pressing))
        foremost = preference == preference.max(axis=1, keepdims=True)
        pick = np.where(foremost, cost, np.inf).argmin(axis=1)
        order[:, slot] = pick
        waiting[rows, pick] = False
        just_played = same[rows, pick]
        left = left - just_played
        if gaps is not None:
            cost = by_place + np.float32(flow_weight) * gaps[rows, pick]
    return order


def spread_early(chosen: Bools, within: int) -> Floats:
    """(b, s) float32 latest place of each track, inf but for the chosen ones, who share the first `within` evenly.

    chosen: (b, s), best first.  Between two places, since so many others are to come before each.
    """
    number = chosen.cumsum(axis=1)
    others_before = number * (within / np.maximum(number[:, -1:], 1) - 1.0)
    return np.where(chosen, others_before - 0.5, np.inf).astype(np.float32)
