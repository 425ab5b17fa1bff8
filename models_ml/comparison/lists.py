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
from models_ml.evaluation.beyond_accuracy import GENRE_KL, NEW_ARTIST_SHARE, Known, ListFacts
from models_ml.evaluation.metrics import NOVELTY, log_shares
from models_ml.evaluation.segments import SegmentParams, listener_segments
from models_ml.evaluation.tables import GivenLists, heard_counts, read_lists
from models_ml.features import WeekFeatures
from models_ml.genres import Genres, read_genres

LIST_LENGTH: Final = 30
POPULARITY: Final = "popularity_percentile"
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
        known = lists >= 0
        percentile = self.features.recordings.popularity_percentile
        nowhere = np.zeros(len(percentile), dtype=bool)  # the long tail is not asked for
        facts = ListFacts(Known(self.features, self.log_popularity, nowhere, genres=self.genres), listeners)
        found = facts.of(lists, (LIST_LENGTH,))
        popularity = _mean(percentile[np.where(known, lists, 0)], known)
        return {POPULARITY: popularity, **{name: found[name, LIST_LENGTH] for name in LIST_VALUES[1:]}}


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
