"""Explanations: which heard recordings a collaborative score comes from, and the one that is named.

Belongs here: the decomposition of scores over a listener's history, anchors.
Does not: which reason is told (reasons.py).

Source: Hu, Koren and Volinsky 2008, section 5; the linear algebra is in linear_solves.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from models_ml.arrays import Floats, Ints, in_order
from models_ml.collaborative import CollaborativeFactors
from models_ml.features import Interactions
from models_ml.linear_solves import (
    HistoryGroup,
    WhitenedRecordings,
    along_history,
    grouped_histories,
    history_vectors,
    to_whitened,
    whiten,
)

_CONTRIBUTION_DECIMALS = 12


@dataclass(frozen=True)
class Contributions:
    """What each heard recording adds to each score, for a group of listeners.

    rows: (b,) places in the listeners asked about.  history: (b, h) int32 recordings, -1 past the end.
    values: (b, h, s) float64; summed over h they are the inner products of listener and served recordings.
    """

    rows: Ints
    history: Ints
    values: Floats


@dataclass(frozen=True)
class Anchors:
    """The heard recording that each score is explained by: one that adds most, or nearly as much.

    recording: (b, s) int32, -1 where none adds.  share: (b, s) float64 of all that was added, 0 where none.
    """

    recording: Ints
    share: Floats


class Explainer:
    """Explains scores under one week's factors."""

    def __init__(
        self, factors: CollaborativeFactors, interactions: Interactions, threads: int, artists: Ints | None = None
    ) -> None:
        """factors, interactions: those of the fit.  artists: (m,) of the recordings; None: one each."""
        self._artists = np.arange(len(factors.recording_factors)) if artists is None else artists
        self._interactions = interactions
        self._whitened: WhitenedRecordings = whiten(factors.recording_factors, factors.regularization)
        self._targets = to_whitened(factors.served, self._whitened.lower)
        self._threads = threads

    def contributions(self, listeners: Ints, recordings: Ints) -> Iterator[Contributions]:
        """listeners: (b,).  recordings: (b, s), -1 for none.  Groups of listeners who have a history."""
        groups = grouped_histories(self._interactions, listeners, self._whitened.vectors.shape[1])
        return in_order(partial(self._of_group, recordings), groups, self._threads)

    def _of_group(self, recordings: Ints, group: HistoryGroup) -> Contributions:
        asked = recordings[group.rows]
        targets = self._targets[np.maximum(asked, 0)]
        targets[asked < 0] = 0.0
        history = history_vectors(self._whitened, group)
        said = along_history(history, group.weight, targets)
        return Contributions(group.rows, group.recordings, said * group.pull[:, :, None])

    def anchors(self, listeners: Ints, recordings: Ints, least_share: float = 1.0) -> Anchors:
        """The anchor of each (listener, recording), the scores of a listener in the order they are told in.

        least_share: of what the strongest adds, at least, is added by an anchor that takes its place, being by the
        artist of what is explained or, where none is, by an artist told less often so far and, of one artist's, itself
        told less often; 1: only the strongest is one. Ties go to the lower recording index.
        """
        recording = np.full(recordings.shape, -1, dtype=np.int32)
        share = np.zeros(recordings.shape)
        for part in self.contributions(listeners, recordings):
            # Histories are in the order of the recordings, and argmax takes the first of equals; rounding
            # makes equals of what differs only by the order in which the sums were taken.
            values = part.values.round(_CONTRIBUTION_DECIMALS)
            theirs = self._artists[np.maximum(recordings[part.rows], 0)]
            best = _told_in_turn(values, least_share, self._artists[part.history], theirs)
            value = np.take_along_axis(values, best[:, None, :], axis=1)[:, 0, :]
            added = np.maximum(values, 0.0).sum(axis=1)
            adds = (value > 0) & (recordings[part.rows] >= 0)
            recording[part.rows] = np.where(adds, np.take_along_axis(part.history, best, axis=1), -1)
            share[part.rows] = np.divide(value, added, out=np.zeros_like(value), where=adds)
        return Anchors(recording, share)


def _told_in_turn(values: Floats, least_share: float, heard_artists: Ints, artists: Ints) -> Ints:
    """(b, s) place in the history of what each score is explained by.

    values: (b, h, s).  heard_artists: (b, h).  artists: (b, s).
    """
    if least_share >= 1:
        return np.asarray(values.argmax(axis=1))
    by_score = np.ascontiguousarray(values.transpose(2, 0, 1))
    rows, told = np.arange(len(values)), np.zeros(values.shape[:2], dtype=np.int32)
    best = np.zeros((len(values), len(by_score)), dtype=np.int64)
    of_artist = np.int32(len(by_score) + 1)  # outweighs however often one track is told
    for score, added in enumerate(by_score):
        strongest = added.max(axis=1, keepdims=True)
        strong = (added >= least_share * strongest) & (added > 0)
        by_artist = strong & (heard_artists == artists[:, score, None])
        strong = np.where(by_artist.any(axis=1, keepdims=True), by_artist, strong)
        fewest = np.where(strong, told, np.iinfo(told.dtype).max).min(axis=1, keepdims=True)
        chosen = np.where(strong & (told == fewest), added, -np.inf).argmax(axis=1)
        adds = strongest[:, 0] > 0
        told += of_artist * (adds[:, None] & (heard_artists == heard_artists[rows, chosen, None]))
        told[rows, chosen] += adds
        best[:, score] = chosen
    return best
