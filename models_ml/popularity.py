"""What is popular where: for each market, one list of recordings, its own first and then everywhere's.

Belongs here: reading market_popularity, the lists that listeners without a vector are served from.
Does not: filters, final scores.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints, Pairs, column, in_range, spread, strings
from models_ml.errors import InputError

EVERYWHERE = ""


@dataclass(frozen=True)
class PopularLists:
    """One list per market, most popular first.

    market_names: names of the lists, the first one '' (everywhere).
    recording: (lists, longest) int32, -1 past a list's end.
    members: the same as pairs of list and recording, with, for each pair,
    place: int64 position in the list, and is_own: bool, True where the market itself plays it.
    is_listened: (recordings,) bool, False for those at a list's end that nobody has heard.
    """

    market_names: pa.Array
    recording: Ints
    members: Pairs
    place: Ints
    is_own: Bools
    is_listened: Bools

    def of_market(self, markets: pa.Array) -> Ints:
        """List of each market, everywhere's for null and for markets without one."""
        place = pc.fill_null(pc.index_in(pc.fill_null(markets, EVERYWHERE), self.market_names), 0)
        return np.asarray(place.to_numpy(zero_copy_only=False), dtype=np.int64)

    def strength(self, lists: Ints, recordings: Ints) -> Floats:
        """1 for the first recording of a list, falling evenly to 1 / length for its last, 0 outside it."""
        found = self.members.find(lists, recordings)
        if not len(self.place):
            return np.zeros(len(lists))
        return np.where(found >= 0, 1.0 - self.place[found] / self.members.lengths(lists).clip(1), 0.0)

    def is_popular(self, lists: Ints, recordings: Ints, *, own_only: bool) -> Bools:
        """Whether a recording that somebody hears is in the list, or in the market's own part of it."""
        found = self.members.find(lists, recordings)
        if not own_only or not len(self.place):
            return (found >= 0) & self.is_listened[recordings]
        return (found >= 0) & self.is_own[found]


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
    order = np.lexsort((recordings, rows))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    members = Pairs(indptr, recordings[order], max(len(is_listened), 1))
    is_own = (places < own_lengths[rows])[order]
    return PopularLists(names, padded, members, places[order], is_own, is_listened)
