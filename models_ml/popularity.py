"""What is popular where: for each market, one list of recordings, its own first and then everywhere's.

Belongs here: reading market_popularity, the lists that listeners without a vector are served from.
Does not: filters, final scores.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints, column, in_range, spread, strings
from models_ml.errors import InputError

EVERYWHERE = ""


@dataclass(frozen=True)
class PopularLists:
    """One list per market, most popular first.

    market_names: names of the lists, the first one '' (everywhere).
    recording: (lists, longest) int32, -1 past a list's end.  length: (lists,) int64.
    own_length: (lists,) int64, how many at the head of each the market itself plays.
    column: (recordings,) int32 column of `place` of each recording, the last one for those in no list.
    place: (lists, columns) int32 position in the list, -1 outside it.
    is_listened: (recordings,) bool, False for those at a list's end that nobody has heard.
    """

    market_names: pa.Array
    recording: Ints
    length: Ints
    own_length: Ints
    column: Ints
    place: Ints
    is_listened: Bools

    def of_market(self, markets: pa.Array) -> Ints:
        """List of each market, everywhere's for null and for markets without one."""
        place = pc.fill_null(pc.index_in(pc.fill_null(markets, EVERYWHERE), self.market_names), 0)
        return np.asarray(place.to_numpy(zero_copy_only=False), dtype=np.int64)

    def strength(self, lists: Ints, recordings: Ints) -> Floats:
        """1 for the first recording of a list, falling evenly to 1 / length for its last, 0 outside it."""
        place = self.place[lists, self.column[recordings]]
        return np.where(place >= 0, 1.0 - place / self.length[lists].clip(1), 0.0)

    def is_popular(self, lists: Ints, recordings: Ints, *, own_only: bool) -> Bools:
        """Whether a recording that somebody hears is in the list, or in the market's own part of it."""
        place = self.place[lists, self.column[recordings]]
        if own_only:
            return (place >= 0) & (place < self.own_length[lists])
        return (place >= 0) & self.is_listened[recordings]


def read_popularity(table: pa.Table, recording_count: int) -> PopularLists:
    """The market_popularity table as lists; InputError unless sorted by market and rank."""
    name = "market_popularity"
    recording = column(table, name, "recording_index", np.int32)
    in_range(recording, recording_count, name, "recording_index")
    rank = column(table, name, "rank", np.int64)
    markets = pc.fill_null(strings(table, name, "market"), EVERYWHERE)
    names = pa.array([EVERYWHERE, *sorted(set(pc.unique(markets).to_pylist()) - {EVERYWHERE})], pa.string())
    place = pc.index_in(markets, names).to_numpy(zero_copy_only=False)
    if (np.diff(place) < 0).any() or ((np.diff(rank) <= 0) & (np.diff(place) == 0)).any():
        raise InputError(f"{name}: rows are out of order; sort by market, rank, one row a rank")
    general = recording[place == 0]
    lists = [_first_mentions(np.concatenate([recording[place == row], general])) for row in range(1, len(names))]
    own_lengths = np.bincount(place, minlength=len(names))
    own_lengths[0] = 0
    is_listened = np.zeros(recording_count, dtype=bool)
    is_listened[recording[column(table, name, "listener_count", np.int64) > 0]] = True
    return _lists(names, [_first_mentions(general), *lists], own_lengths, is_listened)


def _first_mentions(recordings: Ints) -> Ints:
    """The recordings without repeats, in the order in which each first appears."""
    _, first = np.unique(recordings, return_index=True)
    return recordings[np.sort(first)]


def _lists(names: pa.Array, lists: list[Ints], own_lengths: Ints, is_listened: Bools) -> PopularLists:
    lengths = np.array([len(members) for members in lists], dtype=np.int64)
    rows, places = np.repeat(np.arange(len(lists)), lengths), spread(np.zeros_like(lengths), lengths)
    recordings = np.concatenate(lists)
    padded = np.full((len(lists), lengths.max()), -1, dtype=np.int32)
    padded[rows, places] = recordings
    listed = np.unique(recordings)
    column_of = np.full(len(is_listened), len(listed), dtype=np.int32)
    column_of[listed] = np.arange(len(listed))
    place = np.full((len(lists), len(listed) + 1), -1, dtype=np.int32)
    place[rows, column_of[recordings]] = places
    return PopularLists(names, padded, lengths, own_lengths, column_of, place, is_listened)
