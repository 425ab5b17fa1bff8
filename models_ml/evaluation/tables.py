"""Evaluation's tables as arrays: lists that were given, and what their listeners then heard.

Belongs here: reading and checking the two tables, positions for ids, truth and lists of chosen listeners.
Does not: metrics, which listeners are chosen.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints, Pairs, column, in_range, place_in_row, ranges, strings
from models_ml.errors import InputError
from models_ml.features import WeekFeatures
from models_ml.rules import FILTER_CODES

NOT_LISTED = -1
NOT_IN_CATALOGUE = -2

_BLOCK_ROWS = 1 << 16


@dataclass(frozen=True)
class GivenLists:
    """One model's lists, sorted by listener and position.

    listener: (r,) int64 position in features.user_id.  recording: (r,) int64, NOT_IN_CATALOGUE where unknown.
    """

    listener: Ints
    recording: Ints

    def top(self, listeners: Ints, k: int) -> Ints:
        """(b, k) the first k recordings of each of the listeners, NOT_LISTED after; listeners ascending."""
        row, chosen = _rows_among(self.listener, listeners)
        rows, recordings = row[chosen], self.recording[chosen]
        place = place_in_row(rows)
        near = place < k
        lists = np.full((len(listeners), k), NOT_LISTED, dtype=np.int64)
        lists[rows[near], place[near]] = recordings[near]
        return lists


@dataclass(frozen=True)
class Truth:
    """What listeners heard for the first time in the window, sorted by listener and recording, each pair once.

    listener: (t,) int64 position in features.user_id.
    recording: (t,) int64; from m, the number of recordings, up to `width` those that the catalogue lacks.
    is_kept, via_own_playlist: (t,) bool.
    """

    listener: Ints
    recording: Ints
    is_kept: Bools
    via_own_playlist: Bools
    width: int

    def where(self, chosen: Bools) -> "Truth":
        """The chosen pairs."""
        pairs = self.listener[chosen], self.recording[chosen]
        return Truth(*pairs, self.is_kept[chosen], self.via_own_playlist[chosen], self.width)

    def pairs(self, listeners: Ints) -> Pairs:
        """The recordings of each of the listeners; listeners ascending."""
        row, chosen = _rows_among(self.listener, listeners)
        indptr = np.searchsorted(row[chosen], np.arange(len(listeners) + 1)).astype(np.int64)
        return Pairs(indptr, self.recording[chosen].astype(np.int32), max(self.width, 1))


def read_lists(table: pa.Table, name: str, features: WeekFeatures) -> GivenLists:
    """A model's lists: user_id, position (1..), recording_id; those of listeners the week doesn't know are left out.

    Raises InputError where an id is null, a position is below 1, or a list has a position or a recording twice.
    """
    users, recordings = _ids(table, name, "user_id"), _ids(table, name, "recording_id")
    position = column(table, name, "position", np.int64)
    in_range(position, np.iinfo(np.int64).max, name, "position", lowest=1)
    listener = _places(users, features.user_id)
    code, _ = _recording_codes(recordings, features)
    order = np.lexsort((position, listener))
    _each_once(listener[order], position[order], order, name, users, "position")
    by_recording = np.lexsort((code, listener))
    _each_once(listener[by_recording], code[by_recording], by_recording, name, users, "recording")
    order = order[listener[order] >= 0]
    known = np.where(code < features.recording_count, code, NOT_IN_CATALOGUE)
    return GivenLists(listener[order], known[order])


def read_truth(table: pa.Table, features: WeekFeatures) -> Truth:
    """The truth: user_id, recording_id, kept, via_own_playlist; listeners the week doesn't know are left out.

    What a listener had heard before the week began is no discovery and is left out too.
    Raises InputError where a value is null, or a listener has a recording twice.
    """
    name = "truth"
    users, recordings = _ids(table, name, "user_id"), _ids(table, name, "recording_id")
    listener = _places(users, features.user_id)
    code, width = _recording_codes(recordings, features)
    order = np.lexsort((code, listener))
    _each_once(listener[order], code[order], order, name, users, "recording")
    order = order[listener[order] >= 0]
    kept = column(table, name, "kept", np.bool_)[order]
    own = column(table, name, "via_own_playlist", np.bool_)[order]
    truth = Truth(listener[order], code[order], kept, own, width)
    return truth.where(~_heard_before(truth, features))


def heard_counts(features: WeekFeatures) -> tuple[Ints, Ints]:
    """(recordings each listener has heard (n,), listeners who have heard each recording (m,)) before the week."""
    heard = features.exclusion_code == FILTER_CODES["heard"]
    before = np.concatenate([[0], np.cumsum(heard)])
    by_listener = np.diff(before[features.exclusions.indptr])
    by_recording = np.bincount(features.exclusions.values[heard], minlength=features.recording_count)
    return by_listener, by_recording


def heard_percentile(features: WeekFeatures) -> Floats:
    """(n,) mean popularity percentile of what each listener had heard before the week, NaN where nothing."""
    heard = features.exclusion_code == FILTER_CODES["heard"]
    owners = np.repeat(np.arange(features.listener_count), np.diff(features.exclusions.indptr))[heard]
    percentile = features.recordings.popularity_percentile[features.exclusions.values[heard]]
    count = np.bincount(owners, minlength=features.listener_count)
    total = np.bincount(owners, weights=percentile, minlength=features.listener_count)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _ids(table: pa.Table, name: str, field: str) -> pa.Array:
    """One column of ids; InputError for null."""
    ids = strings(table, name, field)
    if ids.null_count:
        row = pc.index(pc.is_null(ids), True).as_py()
        raise InputError(f"{name}: column {field} is null in row {row}; every row needs an id")
    return ids


def _places(ids: pa.Array, known: pa.Array) -> Ints:
    """(r,) int64 place of each id among the known, -1 where it is not."""
    found = pc.fill_null(pc.index_in(ids, known), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def _recording_codes(ids: pa.Array, features: WeekFeatures) -> tuple[Ints, int]:
    """(place in the catalogue, or a number of its own from m on, of each id; one more than the highest number)."""
    places = _places(ids, features.recordings.recording_id)
    unknown = pc.unique(ids.filter(pa.array(places < 0)))
    others = _places(ids, unknown)
    codes = np.where(places >= 0, places, features.recording_count + others)
    return codes, features.recording_count + len(unknown)


def _rows_among(owners: Ints, listeners: Ints) -> tuple[Ints, Bools]:
    """(place among the ascending listeners, whether the owner is one of them) of each owner."""
    if not len(listeners):
        return np.zeros(len(owners), dtype=np.int64), np.zeros(len(owners), dtype=bool)
    row = np.minimum(np.searchsorted(listeners, owners), len(listeners) - 1)
    return row, listeners[row] == owners


def _each_once(listener: Ints, value: Ints, order: Ints, name: str, users: pa.Array, what: str) -> None:
    """InputError where a known listener has the same value in two rows; sorted by both, order: their rows."""
    twice = np.flatnonzero((np.diff(listener) == 0) & (np.diff(value) == 0) & (listener[1:] >= 0))
    if len(twice):
        row, user = int(order[twice[0] + 1]), users[int(order[twice[0]])].as_py()
        message = f"{name}: row {row} gives user_id {user!r} a {what} that another row gives"
        raise InputError(f"{message}; each {what} once a listener")


def _heard_before(truth: Truth, features: WeekFeatures) -> Bools:
    """True where the listener had heard the recording before the week began."""
    heard = np.zeros(len(truth.listener), dtype=bool)
    known = np.flatnonzero(truth.recording < features.recording_count)
    for start, stop in ranges(len(known), _BLOCK_ROWS):
        rows = known[start:stop]
        place = features.exclusions.find(truth.listener[rows], truth.recording[rows])
        excluded = place >= 0
        heard[rows[excluded]] = features.exclusion_code[place[excluded]] == FILTER_CODES["heard"]
    return heard
