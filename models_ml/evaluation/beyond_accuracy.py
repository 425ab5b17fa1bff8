"""What is told of a list without knowing what its listener did with it: how novel, how varied, how much their own.

Belongs here: those metrics, for every listener and cutoff, and what of the week they look up.
Does not: hits (metrics.py), how recordings' vectors and genres come about.

novelty: mean surprise, in bits, of a recording (metrics.py).
intra_list_diversity: 1 less the mean cosine of all pairs of the list's recordings that have a vector; NaN with fewer
than two (Ziegler et al., "Improving Recommendation Lists Through Topic Diversification", WWW 2005).
genre_kl: how far the list's genres are from the listener's own mix, in nats; NaN where no genre that they like is known
(calibration.py; Steck 2018).
long_tail_share: share of the list that is not among the most heard recordings (segments.track_segments).
new_artist_share: share of the list by artists whom its listener has never heard, by every credit of the recording's
preferred edition.
Recordings that the catalogue lacks count in none of them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models_ml.arrays import Bools, Floats, Ints, ranges
from models_ml.calibration import distance
from models_ml.eligibility import any_credit_among
from models_ml.evaluation.metrics import NOVELTY, novelty
from models_ml.features import WeekFeatures
from models_ml.genres import MOST_GENRES, Genres

INTRA_LIST_DIVERSITY: Final = "intra_list_diversity"
GENRE_KL: Final = "genre_kl"
LONG_TAIL_SHARE: Final = "long_tail_share"
NEW_ARTIST_SHARE: Final = "new_artist_share"
FACTS: Final = (NOVELTY, INTRA_LIST_DIVERSITY, GENRE_KL, LONG_TAIL_SHARE, NEW_ARTIST_SHARE)

# 30 vectors of 128 numbers each: 30 MB.
_BLOCK_LISTENERS = 1 << 11


@dataclass(frozen=True)
class Known:
    """What of a week is looked up for a list.

    log_popularity: (m,) see metrics.log_shares.  is_long_tail: (m,) bool.
    vectors: (m, d) float32, zero where nothing is known; None without any.  genres: None where none is known.
    """

    features: WeekFeatures
    log_popularity: Floats
    is_long_tail: Bools
    vectors: Floats | None = None
    genres: Genres | None = None


class ListFacts:
    """The facts of lists of the same listeners."""

    def __init__(self, known: Known, listeners: Ints) -> None:
        """listeners: (b,) positions in features.user_id."""
        self._known, self._listeners = known, listeners
        first = np.searchsorted(known.features.editions.recording, np.arange(known.features.recording_count))
        self._edition = first.astype(np.int64)
        self._unit = None if known.vectors is None else _unit(known.vectors)
        interactions = known.features.interactions
        self._taste = None if known.genres is None else known.genres.taste(interactions, listeners)

    def of(self, lists: Ints, cutoffs: tuple[int, ...]) -> dict[tuple[str, int], Floats]:
        """(b,) float64 of each metric and cutoff.  lists: (b, L) best first, below 0 for none that is known."""
        found = {(metric, k): np.full(len(lists), np.nan) for metric in FACTS for k in cutoffs}
        for start, stop in ranges(len(lists), _BLOCK_LISTENERS):
            for key, values in self._block(lists[start:stop], start, cutoffs).items():
                found[key][start:stop] = values
        return found

    def _block(self, lists: Ints, start: int, cutoffs: tuple[int, ...]) -> dict[tuple[str, int], Floats]:
        """The same of listeners start, start + 1, ..."""
        there, recordings = lists >= 0, np.maximum(lists, 0)
        if not self._known.features.recording_count:
            return {}
        is_new = self._by_new_artists(recordings, there, start)
        in_tail = self._known.is_long_tail[recordings] & there
        unit = None if self._unit is None else self._unit[recordings] * there[:, :, None]
        taste = None if self._taste is None else self._taste[start : start + len(lists)]
        found = {}
        for k in cutoffs:
            count = there[:, :k].sum(axis=1)
            found[NOVELTY, k] = novelty(lists[:, :k], self._known.log_popularity)
            found[LONG_TAIL_SHARE, k] = _mean(in_tail[:, :k].sum(axis=1), count)
            found[NEW_ARTIST_SHARE, k] = _mean(is_new[:, :k].sum(axis=1), count)
            if unit is not None:
                found[INTRA_LIST_DIVERSITY, k] = _diversity(unit[:, :k])
            if taste is not None:
                found[GENRE_KL, k] = self._genre_kl(taste, recordings[:, :k], there[:, :k])
        return found

    def _by_new_artists(self, recordings: Ints, there: Bools, start: int) -> Bools:
        """(b, L) True where the listener has heard none of the recording's artists."""
        features = self._known.features
        row, place = np.nonzero(there)
        edition = self._edition[recordings[row, place]]
        owners = self._listeners[start + row]
        known = any_credit_among(features.known_artists, features.editions.credits, owners, edition)
        is_new = np.zeros(there.shape, dtype=bool)
        is_new[row, place] = ~known
        return is_new

    def _genre_kl(self, taste: Floats, recordings: Ints, there: Bools) -> Floats:
        """(b,) NaN for an empty list too."""
        genres = self._known.genres
        assert genres is not None
        listeners, width = len(taste), taste.shape[1] + 1
        share = genres.share[recordings].astype(np.float64) * there
        at = np.arange(listeners)[:, None] * width
        held = np.zeros(listeners * width)
        for column in range(MOST_GENRES):
            place = (at + genres.place[recordings, column]).ravel()
            held += np.bincount(place, weights=share.ravel(), minlength=listeners * width)
        count = there.sum(axis=1)
        mix = held.reshape(listeners, width)[:, :-1] / np.maximum(count, 1)[:, None]
        return np.where(count > 0, distance(taste, mix, 1), np.nan)


def _diversity(unit: Floats) -> Floats:
    """(b,) of lists of vectors of length 1 or 0, (b, k, d): the square of their sum holds every pair twice."""
    count = unit.any(axis=2).sum(axis=1)
    total = unit.sum(axis=1, dtype=np.float64)
    pairs = count * (count - 1)
    return 1.0 - _mean((total**2).sum(axis=1) - count, pairs)


def _unit(vectors: Floats) -> Floats:
    """(m, d) float32 of length 1, zero where nothing is known."""
    length = np.linalg.norm(vectors.astype(np.float64), axis=1)
    return np.asarray(vectors / np.where(length > 0, length, 1.0)[:, None], dtype=np.float32)


def _mean(total: Ints | Floats, count: Ints) -> Floats:
    """The quotient, NaN where there is nothing."""
    quotient = np.full(len(count), np.nan)
    np.divide(total, count, out=quotient, where=count > 0)
    return quotient
