"""Events of an import, block by block.

Belongs here: the columns of `events` from those of a format, event ids, listeners' numbers.
Does not: reading a format, which rows count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from models_ml.arrays import Progress
from models_ml.importers.identities import digest
from models_ml.importers.landing_writer import LandingWriter
from models_ml.importers.options import ImportOptions
from models_ml.importers.report import Tally
from models_ml.importers.track_book import Track, TrackBook

_REMEMBERED_USERS = 131_072
_MOMENT = pa.timestamp("ms", "UTC")
_Numbers = npt.NDArray[np.uint64]
# Odd constants with evenly spread bits, for mixing (Steele, Lea and Flood, "Fast splittable pseudorandom number
# generators", 2014).
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


@dataclass
class Work:
    """What a format's module works with."""

    options: ImportOptions
    writer: LandingWriter
    tracks: TrackBook
    tally: Tally
    progress: Progress

    def tell(self, shown_as: str) -> None:
        """A line of progress; called for every block, the receiver decides how often to show one."""
        written = self.writer.rows["events"] + self.writer.rows["play_counts"]
        self.progress(f"{shown_as}: {self.tally.rows_read:,} rows read, {written:,} landed")


class UserNumbers:
    """64 bits of each listener's id, worked out once for the listeners met lately."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, users: Sequence[str]) -> list[int]:
        """(users,) their numbers."""
        known = self._known
        if len(known) >= _REMEMBERED_USERS:
            known.clear()
        for user in dict.fromkeys(users):
            if user not in known:
                known[user] = int.from_bytes(digest(user), "little")
        return [known[user] for user in users]


class EventColumns:
    """Writes events of one source."""

    def __init__(self, work: Work, source: str) -> None:
        self._work = work
        self._source = source
        self._users = UserNumbers()

    def add(
        self,
        users: Sequence[str],
        tracks: Sequence[Track],
        moments_ms: npt.NDArray[np.int64],
        event_types: Any = "play",
        played_ms: npt.NDArray[np.int64] | None = None,
        more: Mapping[str, Any] | None = None,
        kept: npt.NDArray[np.bool_] | None = None,
    ) -> None:
        """Events of as many listeners, tracks and moments; more: further columns of the contract.

        event_types: one for all, or one each.  kept: False where the event is to be left out, null for none.
        """
        if not users:
            return
        count = len(users)
        self._work.tally.name_listeners(users)
        numbers = [
            np.array(self._users.of(users), dtype=np.uint64),
            np.array([track.number for track in tracks], dtype=np.uint64),
            moments_ms.view(np.uint64),
            np.zeros(count, np.uint64) if played_ms is None else played_ms.view(np.uint64),
        ]
        columns = {
            "user_id": users,
            "event_type": pa.repeat(event_types, count) if isinstance(event_types, str) else event_types,
            "occurred_at": pa.array(moments_ms).cast(_MOMENT),
            "track_id": [track.track_id for track in tracks],
            "event_id": event_ids(self._source, numbers),
            "ms_played": None if played_ms is None else pa.array(played_ms),
            "source": pa.repeat(self._source, count),
            **(more or {}),
        }
        self._work.tracks.flush()
        self._work.writer.add("events", columns, kept)


def event_ids(source: str, numbers: Sequence[_Numbers]) -> pa.Array:
    """(events,) ids of 32 hexadecimal digits: the same numbers of the same source give the same id."""
    seed = np.frombuffer(digest(source, 16), dtype=np.uint64)
    halves = np.empty((len(numbers[0]), 2), dtype=np.uint64)
    for half in range(2):
        mixed = np.full(len(numbers[0]), seed[half])
        for column in numbers:
            mixed = _mixed(mixed ^ column)
        halves[:, half] = mixed
    characters = halves.tobytes().hex().encode()
    offsets = np.arange(len(halves) + 1, dtype=np.int32) * 32
    return pa.StringArray.from_buffers(len(halves), pa.py_buffer(offsets), pa.py_buffer(characters))


def _mixed(values: _Numbers) -> _Numbers:
    """Every bit of the input changes about half the bits of the output; no two inputs share one."""
    values = values + _STEP
    values = (values ^ (values >> np.uint64(30))) * _FIRST
    values = (values ^ (values >> np.uint64(27))) * _SECOND
    return values ^ (values >> np.uint64(31))
