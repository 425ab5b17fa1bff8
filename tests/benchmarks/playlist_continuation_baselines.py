"""What simple methods would have put on the same playlists, each tuned on the tuning Mondays.

Belongs here: the methods, the settings each is tuned over, their lists. Does not: the project's own lists, truth.

A score is what a method says of every playlist and recording; lists are the thirty highest that the playlist did not
have, ties by position, and nothing that a method has no evidence for.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import implicit.nearest_neighbours
import numpy as np
import scipy.sparse

from models_ml.arrays import Floats, Ints
from models_ml.neighbours import best_first
from tests.benchmarks.playlist_continuation_truth import LIST_LENGTH, Monday

Settings = Mapping[str, Any]
Kept = TypeVar("Kept")

POPULAR, KNN, ARTISTS = "most added", "item-kNN", "recent, by the playlist's artists"
DECAYED = ("item-kNN, history decayed, cosine", "item-kNN, history decayed, product")
# Of these the best is what ours is compared with; the decayed ones are beyond what is customary and stand apart,
# each by itself: which of the two is better differs between the tuning and the reported Mondays.
NAMED = (POPULAR, KNN, ARTISTS)
_COSINE, _PRODUCT = "cosine", "product"  # of the BM25 weights
_SIMILARITIES = (_COSINE, _PRODUCT)
_HALF_LIVES = (7, 14, 20, 30, 60)
_RECENCIES = [(0, "last"), *itertools.product(_HALF_LIVES, ("last", "first"))]
_BM25_K1, _BM25_B = 1.2, 0.75

_DECAYED_GRIDS: dict[str, list[Settings]] = {
    method: [
        {"similarity": similarity, "history_days": 60, "recency_days": days, "since": since}
        for days, since in _RECENCIES
    ]
    for method, similarity in zip(DECAYED, _SIMILARITIES, strict=True)
}
GRIDS: Mapping[str, list[Settings]] = {
    POPULAR: [{"half_life_days": days} for days in (0, 7, 14, 30)],
    KNN: [
        {"similarity": similarity, "neighbours": neighbours, "recency_days": days, "since": since}
        for similarity in _SIMILARITIES
        for neighbours in (20, 100, 500, 0)
        for days, since in _RECENCIES
    ],
    ARTISTS: [{"recency_days": days, "since": since} for days, since in _RECENCIES if days],
    **_DECAYED_GRIDS,
}


class Baselines:
    """Lists of every method for one Monday; what settings share is worked out once."""

    def __init__(self, monday: Monday) -> None:
        """The Monday whose history the methods see."""
        self._history = monday.history
        self._taken_out = monday.taken_out
        self._kept: dict[object, Any] = {}

    def lists(self, method: str, settings: Settings) -> Ints:
        """(p, 30) recordings of each playlist, -1 where there are no more."""
        scores = np.array(np.broadcast_to(self._scores(method, settings), self._history.shape), dtype=np.float32)
        scores[self._taken_out] = 0.0
        kth = np.partition(scores, -LIST_LENGTH, axis=1)[:, -LIST_LENGTH, None]
        rows, columns = np.nonzero((scores >= kth) & (scores > 0))
        best = best_first(rows, columns, scores[rows, columns], len(scores), LIST_LENGTH)
        return np.asarray(best.positions)

    def _scores(self, method: str, settings: Settings) -> Floats:
        """(p, m), or (1, m) for what is the same for everyone."""
        if method == POPULAR:
            weight = _halving(self._history.last_added_days, settings["half_life_days"])
            return np.asarray(np.bincount(self._history.recording, weight, self._history.shape[1])[None], np.float64)
        recency = self._recency(settings["recency_days"], settings["since"])
        if method == ARTISTS:
            return self._once("artists", self._by_artists) * recency
        how = settings["similarity"], settings.get("neighbours", 0), settings.get("history_days", 0)
        return self._once(how, lambda: self._knn(*how)) * recency

    def _once(self, key: object, make: Callable[[], Kept]) -> Kept:
        if key not in self._kept:
            self._kept[key] = make()
        kept: Kept = self._kept[key]
        return kept

    def _recency(self, half_life_days: float, since: str) -> Floats:
        """(m,) halved for every so many days since anyone added it last, or first."""
        if not half_life_days:
            return np.ones(self._history.shape[1], dtype=np.float32)
        days = np.full(self._history.shape[1], np.inf if since == "last" else -np.inf)
        if since == "last":
            np.minimum.at(days, self._history.recording, self._history.last_added_days)
        else:
            np.maximum.at(days, self._history.recording, self._history.first_added_days)
        return np.where(np.isfinite(days), _halving(np.abs(days), half_life_days), 0.0).astype(np.float32)

    def _had(self, half_life_days: float = 0) -> scipy.sparse.csr_matrix:
        """(p, m) 1 where a playlist had the recording, less where that is long ago."""
        weight = _halving(self._history.last_added_days, half_life_days).astype(np.float64)
        places = self._history.playlist, self._history.recording
        return scipy.sparse.csr_matrix((weight, places), shape=self._history.shape)

    def _knn(self, similarity: str, neighbours: int, history_days: float) -> Floats:
        """(p, m) summed similarity of each recording to those the playlist had; 0 neighbours stands for all.

        history_days: half-life of what a playlist had, for its list and for what recordings have in common; 0: none.
        """
        had = self._had(history_days)
        items = _item_vectors(had, similarity)
        if not neighbours:  # linear, so that no similarity is worked out by itself
            return np.asarray(((had @ items) @ items.T).toarray(), dtype=np.float32)
        nearest = implicit.nearest_neighbours.all_pairs_knn(items.T.tocsr(), neighbours, show_progress=False)
        return np.asarray((had @ nearest.tocsr()).toarray(), dtype=np.float32)

    def _by_artists(self) -> Floats:
        """(p, m) ln(1 + recordings that the playlist had by the recording's artist)."""
        artist = self._history.artist_of_recording
        ones = np.ones(len(artist))
        by_artist = scipy.sparse.csr_matrix((ones, (np.arange(len(artist)), artist)))
        count = (self._had() @ by_artist).toarray()
        return np.asarray(np.log1p(count)[:, artist], dtype=np.float32)


def _item_vectors(had: scipy.sparse.csr_matrix, similarity: str) -> scipy.sparse.csr_matrix:
    """(m, p) each recording by the playlists that had it, weighted by BM25; of length one for cosine."""
    held = np.unique(had.indices)  # the average BM25 measures by is that of recordings somebody had
    items = implicit.nearest_neighbours.bm25_weight(had.T.tocsr()[held], _BM25_K1, _BM25_B).tocsr()
    items.data = np.maximum(items.data, 0.0)
    length = np.sqrt(np.asarray(items.multiply(items).sum(axis=1)).ravel())
    scale = 1.0 / np.where(length > 0, length, 1.0) if similarity == _COSINE else np.ones(len(held))
    places = held, np.arange(len(held))
    return scipy.sparse.csr_matrix((scale, places), shape=(had.shape[1], len(held))) @ items


def _halving(days: Floats, half_life_days: float) -> Floats:
    """0.5 ^ (days / half-life); 1 for no half-life."""
    return np.asarray(0.5 ** (days / half_life_days)) if half_life_days else np.ones(len(days))
