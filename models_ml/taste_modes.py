"""Taste modes: the clusters of what a listener likes, each a query of its own.

Belongs here: clustering the liked recordings of many listeners at once, how many modes each has, the query of each.
Does not: search with them (candidates.py), the listener's one vector (linear_solves.py).

A mode's query is the part of the listener's vector that its recordings make: x = W sum over h of c p y, as in
linear_solves.py, with the sum over the mode alone. The queries of a listener's modes add up to the listener's vector.
"""

from dataclasses import dataclass

import numpy as np

from models_ml.arrays import Floats, Ints, unit
from models_ml.collaborative import CollaborativeFactors
from models_ml.features import Interactions
from models_ml.linear_solves import HistoryGroup, from_whitened, grouped_histories, history_parts, whiten

# Centres hardly move after so many.
_PASSES = 5


@dataclass(frozen=True)
class TasteModes:
    """Of b listeners, at most k modes each; zeros for whom has too short a history, and past the last mode.

    queries: (b, k, f) float32.  weight: (b, k) float32 each mode's share of what its listener likes.
    """

    queries: Floats
    weight: Floats


class TasteModeFinder:
    """Finds modes under one week's vectors."""

    def __init__(
        self,
        factors: CollaborativeFactors,
        interactions: Interactions,
        most: int,
        minimum_liked: int,
        minimum_gain: float,
    ) -> None:
        """factors, interactions: those of the fit.  most: modes.

        minimum_liked: recordings without which a listener has no modes.
        minimum_gain: by how much one mode more has to raise the mean cosine of a listener's recordings with the centre
        of their mode.
        """
        self._interactions, self._most = interactions, most
        self._minimum_liked, self._minimum_gain = minimum_liked, minimum_gain
        self._whitened = whiten(factors.recording_factors, factors.regularization)
        self._directions = unit(factors.served)

    def of(self, listeners: Ints) -> TasteModes:
        """The modes of each."""
        factors = self._directions.shape[1]
        queries = np.zeros((len(listeners), self._most, factors))
        weight = np.zeros((len(listeners), self._most), dtype=np.float32)
        for group in grouped_histories(self._interactions, listeners, factors):
            enough = np.flatnonzero((group.pull > 0).sum(axis=1) >= self._minimum_liked)
            if len(enough):
                chosen = group.of(enough)
                member, weight[chosen.rows] = self._clustered(chosen)
                queries[chosen.rows] = history_parts(self._whitened, chosen, member)
        return TasteModes(from_whitened(queries, self._whitened.lower).astype(np.float32), weight)

    def _clustered(self, group: HistoryGroup) -> tuple[Floats, Floats]:
        """((b, k, h) 1 where a recording belongs to a mode, (b, k) weight of each).

        One centre is the mean; then each time the recording is added that weighs most times its distance, and k-means
        by cosine goes on from there. A listener has as many modes as each gained enough.
        """
        vectors = self._directions[np.maximum(group.recordings, 0)]
        mass = np.where(group.pull > 0, group.weight, 0.0).astype(np.float32) * vectors.any(axis=2)
        total = np.maximum(mass.sum(axis=1), np.float32(1e-9))
        centres = unit(mass[:, None, :] @ vectors)
        near = (vectors @ centres.transpose(0, 2, 1))[:, :, 0]
        label = np.zeros(mass.shape, dtype=np.int64)
        cohesion, growing = (mass * near).sum(axis=1) / total, np.ones(len(mass), dtype=bool)
        for modes in range(2, self._most + 1):
            farthest = (mass * (1 - near)).argmax(axis=1)
            centres = np.concatenate([centres, vectors[np.arange(len(mass)), farthest][:, None, :]], axis=1)
            for _ in range(_PASSES):
                nearest = (vectors @ centres.transpose(0, 2, 1)).argmax(axis=2)
                centres = unit(_members(nearest, mass, modes) @ vectors)
            cosine = vectors @ centres.transpose(0, 2, 1)
            near = cosine.max(axis=2)
            closer = (mass * near).sum(axis=1) / total
            growing &= closer - cohesion >= self._minimum_gain
            label[growing] = cosine.argmax(axis=2)[growing]
            cohesion = np.where(growing, closer, cohesion)
        weight = _members(label, mass, self._most).sum(axis=2) / total[:, None]
        return _members(label, (mass > 0).astype(np.float32), self._most), weight


def _members(label: Ints, mass: Floats, modes: int) -> Floats:
    """(b, modes, h) each recording's mass in its mode, 0 in the others."""
    return np.asarray((label[:, None, :] == np.arange(modes)[:, None]) * mass[:, None, :])
