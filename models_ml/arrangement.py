"""The order heard: roughly best first, no two neighbours by one artist wherever that can be done.

Belongs here: the order of tracks already chosen.
Does not: choosing them.
"""

import numpy as np

from models_ml.arrays import Ints


def arrange(artists: Ints) -> Ints:
    """(b, s) places: the order in which to play each list's tracks, which come best first.

    artists: (b, s) first-credited artist of each track.  For each slot the best track left whose artist
    did not just play; but as soon as an artist has so many tracks left that only every second slot
    suffices, that artist's turn comes first.  So neighbours differ whenever any order has that
    (no artist above half the list, rounded up); else they repeat only where they must.
    """
    count, length = artists.shape
    rows = np.arange(count)
    same = artists[:, :, None] == artists[:, None, :]
    left = same.sum(axis=2)
    waiting = np.ones((count, length), dtype=bool)
    just_played = np.zeros((count, length), dtype=bool)
    order = np.empty((count, length), dtype=np.int64)
    for slot in range(length):
        after = length - slot - 1
        pressing = left > (after + 1) // 2
        # Best first within each class: pressing and different, different, anything left.
        preference = waiting * (1 + ~just_played * (1 + pressing))
        pick = preference.argmax(axis=1)
        order[:, slot] = pick
        waiting[rows, pick] = False
        just_played = same[rows, pick]
        left = left - just_played
    return order
