"""What a list is, in numbers that two recipes can be compared by: overlap, popularity, novelty, genres, new artists.

Belongs here: one value a listener of each, and what all lists together spread over, both by one yardstick.
Does not: means, intervals and segments (report.py), what is too much (gate.py).

The yardstick is the baseline's week. A candidate's own idea of what a listener likes would find its lists well
calibrated, whatever they hold: with skips counted as liking, lists of what was skipped are near to their listeners.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints, ranges
from models_ml.calibration import Calibration
from models_ml.evaluation.metrics import NOVELTY, log_shares
from models_ml.evaluation.segments import SegmentParams, listener_segments
from models_ml.evaluation.tables import GivenLists, heard_counts, read_lists
from models_ml.features import WeekFeatures
from models_ml.genres import Genres, read_genres

LIST_LENGTH: Final = 30
POPULARITY: Final = "popularity_percentile"
GENRE_KL: Final = "genre_kl"
NEW_ARTIST_SHARE: Final = "new_artist_share"
LIST_VALUES: Final = (POPULARITY, NOVELTY, GENRE_KL, NEW_ARTIST_SHARE)

_BLOCK_LISTENERS = 1 << 13


@dataclass(frozen=True)
class Yardstick:
    """What both sides are measured by: features of the baseline's week, and genres as the catalogue names them."""

    features: WeekFeatures
    genres: Genres

    @classmethod
    def of(cls, features: WeekFeatures, genres: pa.Array) -> "Yardstick":
        """genres: m lists of names, one a recording; where the catalogue is silent nothing is guessed."""
        return cls(features, read_genres(genres, np.zeros((features.recording_count, 1), dtype=np.float32)))

    @cached_property
    def log_popularity(self) -> Floats:
        """(m,) log2 of the share of listeners who have heard each recording."""
        return log_shares(heard_counts(self.features)[1], self.features.listener_count)

    def segments(self, listeners: Ints, params: SegmentParams) -> dict[str, Bools]:
        """(b,) bool of each segment by how much its listeners have heard; `all` is the first."""
        return listener_segments(heard_counts(self.features)[0][listeners], params)

    def lists(self, table: pa.Table, name: str) -> GivenLists:
        """A side's lists: user_id, position, recording_id."""
        return read_lists(table, name, self.features)

    def values(self, lists: Ints, listeners: Ints) -> dict[str, Floats]:
        """(b,) float64 of each of LIST_VALUES, NaN where a list has none.

        lists: (b, LIST_LENGTH) positions of recordings, negative where there is none or it isn't known.
        """
        blocks = ranges(len(listeners), _BLOCK_LISTENERS) or [(0, 0)]
        parts = [self._block(lists[start:stop], listeners[start:stop]) for start, stop in blocks]
        return {name: np.concatenate([part[name] for part in parts]) for name in LIST_VALUES}

    def _block(self, lists: Ints, listeners: Ints) -> dict[str, Floats]:
        known = lists >= 0
        safe = np.where(known, lists, 0)
        return {
            POPULARITY: _mean(self.features.recordings.popularity_percentile[safe], known),
            NOVELTY: _mean(-self.log_popularity[safe], known),
            GENRE_KL: self._genre_kl(safe, known, listeners),
            NEW_ARTIST_SHARE: _mean(self._by_new_artists(safe, listeners), known),
        }

    def _genre_kl(self, lists: Ints, known: Bools, listeners: Ints) -> Floats:
        """Nats from each listener's genres to the list's; NaN for lists that aren't whole."""
        whole = known.all(axis=1)
        found = np.full(len(lists), np.nan)
        calibration = Calibration(self.genres, np.zeros(0, dtype=np.float32))
        found[whole] = calibration.measured(self.features.interactions, listeners[whole], lists[whole])[0]
        return found

    def _by_new_artists(self, lists: Ints, listeners: Ints) -> Bools:
        artists = self.features.artist_of_recording[lists].ravel()
        found = self.features.known_artists.find(np.repeat(listeners, lists.shape[1]), artists)
        return np.asarray((found < 0).reshape(lists.shape))


def overlap(some: Ints, others: Ints) -> Floats:
    """(b,) share of LIST_LENGTH that both lists hold.  some, others: (b, LIST_LENGTH), each row distinct."""
    shared = np.zeros(len(some))
    for start, stop in ranges(len(some), _BLOCK_LISTENERS):
        both = np.sort(np.concatenate([some[start:stop], others[start:stop]], axis=1), axis=1)
        shared[start:stop] = ((both[:, 1:] == both[:, :-1]) & (both[:, 1:] >= 0)).sum(axis=1)
    return shared / LIST_LENGTH


def _mean(values: Floats | Bools, known: Bools) -> Floats:
    """(b,) mean of each row over what is known, NaN where nothing is."""
    count = known.sum(axis=1)
    mean = np.full(len(values), np.nan)
    np.divide(np.where(known, values, 0.0).sum(axis=1), count, out=mean, where=count > 0)
    return mean
