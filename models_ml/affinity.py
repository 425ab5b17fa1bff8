"""Affinity: how near a recording lies to what a listener likes, in a space of words or of sound.

Belongs here: profiles of listeners in such a space, their inner products with recordings, the nearest liked one.
Does not: the spaces (text/, sound/), weights of the score (ranking.py).

A profile is the mean of the unit vectors of what the listener likes, weighted by confidence: the more alike what they
like is, the longer it is, and the more it says. Affinities are linear in what was heard.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from models_ml.arrays import Floats, Ints
from models_ml.features import Interactions
from models_ml.retrieval import inner_products


@dataclass(frozen=True)
class Nearest:
    """recording: (c,) int32 the liked recording nearest to each, -1 where none.  cosine: (c,) float64, 0 where none."""

    recording: Ints
    cosine: Floats


class ContentAffinity:
    """Affinities under one week's vectors of one kind."""

    def __init__(self, interactions: Interactions, vectors: Floats) -> None:
        """vectors: (m, d) unit length, zero where nothing is known."""
        self._interactions = interactions
        self.vectors = np.ascontiguousarray(vectors, dtype=np.float32)

    def of(self, listeners: Ints, rows: Ints, recordings: Ints) -> Floats:
        """(c,) float64 affinity of listeners[rows] with the recordings; rows ascending."""
        return inner_products(self.profiles(listeners), self.vectors, rows, recordings).astype(np.float64)

    def nearest(self, listeners: Ints, recordings: Ints) -> Nearest:
        """The liked recording nearest to each recording, of equally near ones the lowest.

        listeners, recordings: (c,) pairs, fast where a listener's follow each other: what is liked is gathered once.
        """
        pairs, preference = self._interactions.pairs, self._interactions.preference
        found, best = np.full(len(listeners), -1, dtype=np.int32), np.zeros(len(listeners))
        edges = np.append(np.flatnonzero(np.diff(listeners, prepend=-1)), len(listeners))
        for start, stop in pairwise(edges.tolist()):
            theirs = slice(*pairs.indptr[listeners[start] : listeners[start] + 2])
            liked = pairs.values[theirs][preference[theirs] > 0]
            if len(liked):
                cosine = np.einsum("cf,hf->ch", self.vectors[recordings[start:stop]], self.vectors[liked])
                place = cosine.argmax(axis=1)
                best[start:stop] = np.maximum(cosine[np.arange(stop - start), place], 0.0)
                found[start:stop] = np.where(best[start:stop] > 0, liked[place], -1)
        return Nearest(found, best)

    def profiles(self, listeners: Ints) -> Floats:
        """(b, d) float32; zero for listeners who like nothing that has a vector."""
        pairs = self._interactions.pairs
        row, position = pairs.positions(listeners)
        liked = self._interactions.preference[position] > 0
        row, position = row[liked], position[liked]
        weight = (self._interactions.confidence[position] - 1.0).astype(np.float32)
        vectors = self.vectors[pairs.values[position]]
        weight = weight * vectors.any(axis=1)
        profiles = np.zeros((len(listeners), self.vectors.shape[1]), dtype=np.float32)
        starts = np.flatnonzero(np.diff(row, prepend=-1))
        if len(starts):
            total = np.maximum(np.add.reduceat(weight, starts), np.float32(1e-9))
            profiles[row[starts]] = np.add.reduceat(vectors * weight[:, None], starts, axis=0) / total[:, None]
        return profiles
