"""How near an artist lies to those the listener likes, and what became of what lies near.

Belongs here: directions of artists in the space of search, two features of candidates that follow from them.
Does not: other features, the families they form (features.py).

A recording's vector rests on the few who heard it, an artist's on all who heard any of theirs: who a listener has never
heard is told apart better so. Near the likes is meant of the nearest few, since the mean of two tastes is no taste.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from models_ml.arrays import Floats, Ints, stable_order, unit
from models_ml.features import Interactions

# Demo world, seed 101: how far a candidate truly lies from its listener's tastes correlates with one, three, five and
# eight at .60, .67, .67 and .66, with the cosine of its own vector at .51.
_NEAREST: Final = 3
# What so many recordings at no distance weigh, disliked as often as everyone's.
_PRIOR: Final = 3.0


class NearArtists:
    """Nearness under one week's vectors."""

    def __init__(self, artist_of: Ints, vectors: Floats, interactions: Interactions) -> None:
        """artist_of: (m,) of each recording.  vectors: (m, f) as they are searched; zero where there is none."""
        self._artist_of, self._interactions = artist_of, interactions
        # 64 bits: times the rows of a block it outgrows 32.
        self._width = np.int64(artist_of.max(initial=0)) + 1
        sums = np.zeros((self._width, vectors.shape[1]))
        np.add.at(sums, artist_of, unit(vectors))
        self._directions = unit(sums)
        disliked = interactions.preference < 0
        self._usual = float(disliked.mean()) if len(disliked) else 0.0

    def of(self, listeners: Ints, rows: Ints, recordings: Ints) -> dict[str, Floats]:
        """Features of candidates of listeners[rows]; rows ascending.

        artist_nearness: (c,) mean cosine of the first credited artist with the three nearest artists whom the listener
        likes something by, or as many as there are, opposite ones as 0; NaN where there are none.
        near_disliked: (c,) share disliked of what the listener likes or dislikes, each by that cosine squared, beside
        what everyone dislikes (Nadaraya and Watson's estimate, 1964).
        """
        pairs, place = _different(rows * self._width + self._artist_of[recordings])
        row, artist = np.divmod(pairs, self._width)
        edges = np.searchsorted(row, np.arange(len(listeners) + 1))
        (rated, counts), rated_edges = self._rated(listeners)
        nearness, disliked = np.full(len(pairs), np.nan), np.full(len(pairs), self._usual)
        for asked, theirs in zip(_slices(edges), _slices(rated_edges), strict=True):
            if asked.start == asked.stop or theirs.start == theirs.stop:
                continue
            cosine = np.maximum(self._directions[artist[asked]] @ self._directions[rated[theirs]].T, 0.0)
            near = np.square(cosine) @ counts[theirs]
            disliked[asked] = (near[:, 1] + self._usual * _PRIOR) / (near.sum(axis=1) + _PRIOR)
            liked = cosine[:, counts[theirs, 0] > 0]
            if liked.shape[1]:
                nearness[asked] = np.sort(liked, axis=1)[:, -_NEAREST:].mean(axis=1)
        return {"artist_nearness": nearness[place], "near_disliked": disliked[place]}

    def _rated(self, listeners: Ints) -> tuple[tuple[Ints, Floats], Ints]:
        """((artists, (artists, 2) float32 recordings liked and disliked), where each listener's begin and end)."""
        row, position = self._interactions.pairs.positions(listeners)
        pairs, place = _different(row * self._width + self._artist_of[self._interactions.pairs.values[position]])
        disliked = self._interactions.preference[position] < 0
        counts = [np.bincount(place, weights=of, minlength=len(pairs)) for of in (~disliked, disliked)]
        edges = np.searchsorted(pairs, np.arange(len(listeners) + 1) * self._width)
        return (pairs % self._width, np.stack(counts, axis=1).astype(np.float32)), edges


def _different(keys: Ints) -> tuple[Ints, Ints]:
    """(the different keys, ascending, the place of each key among them)."""
    order = stable_order(keys)
    is_first = np.diff(keys[order], prepend=-1) != 0
    place = np.empty(len(keys), dtype=np.int64)
    place[order] = np.cumsum(is_first) - 1
    return keys[order][is_first], place


def _slices(edges: Ints) -> list[slice]:
    """From each edge to the next."""
    return [slice(start, stop) for start, stop in pairwise(edges.tolist())]
