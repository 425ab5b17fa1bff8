"""Landing files of one import: Parquet parts that appear together at the end, or not at all.

Belongs here: schemas of what is written, names, parts, and clearing up after a killed import.
Does not: what the rows say.
"""

import contextlib
import fcntl
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.arrays import Progress
from models_ml.landing.storage import StorageError

GROUP_ROWS = 65_536
PART_ROWS = 1_048_576
_TEMPORARY_ENDING = ".tmp"
_LOCK_NAME = ".import.lock"
_MOMENT = pa.timestamp("ms", "UTC")
_TEXT = pa.string()

SCHEMAS: Mapping[str, pa.Schema] = {
    "tracks": pa.schema(
        {
            "track_id": _TEXT,
            "title": _TEXT,
            "artist_id": _TEXT,
            "artist_name": _TEXT,
            "album_id": _TEXT,
            "album_title": _TEXT,
            "duration_ms": pa.int64(),
            "isrc": _TEXT,
            "recording_id": _TEXT,
        }
    ),
    "playlists": pa.schema(
        {"playlist_id": _TEXT, "title": _TEXT, "description": _TEXT, "owner_id": _TEXT, "updated_at": _MOMENT}
    ),
    "playlist_tracks": pa.schema(
        {"playlist_id": _TEXT, "track_id": _TEXT, "position": pa.int32(), "added_at": _MOMENT}
    ),
    "play_counts": pa.schema({"user_id": _TEXT, "track_id": _TEXT, "play_count": pa.int64(), "observed_at": _MOMENT}),
    "events": pa.schema(
        {
            "user_id": _TEXT,
            "event_type": _TEXT,
            "occurred_at": _MOMENT,
            "track_id": _TEXT,
            "event_id": _TEXT,
            "ms_played": pa.int64(),
            "reason_start": _TEXT,
            "reason_end": _TEXT,
            "shuffle": pa.bool_(),
            "device_type": _TEXT,
            "source": _TEXT,
        }
    ),
}


class LandingWriter:
    """Writes parts beside their names and renames them when all are whole.

    stem: begins the name of every part; parts of an earlier import with the same stem are replaced.
    tracks_folder: where below `tracks` its tracks go. The row that comes last by path holds, so that sources that
    know more about a track stand later.
    """

    def __init__(self, landing: Path, stem: str, tracks_folder: str) -> None:
        self._landing = landing
        self._stem = stem
        self._tracks_folder = tracks_folder
        self._waiting: dict[str, list[pa.RecordBatch]] = {name: [] for name in SCHEMAS}
        self._open: dict[str, tuple[pq.ParquetWriter, int]] = {}
        self._targets: dict[str, list[Path]] = {name: [] for name in SCHEMAS}
        self.rows: Counter[str] = Counter()

    def add(self, dataset: str, columns: Mapping[str, Any], kept: npt.NDArray[np.bool_] | None = None) -> None:
        """Rows of a dataset, those where `kept` is False left out; columns that aren't given are null."""
        schema = SCHEMAS[dataset]
        length = len(next(iter(columns.values())))
        arrays = [_array(columns.get(field.name), field.type, length) for field in schema]
        rows = pa.RecordBatch.from_arrays(arrays, schema=schema)
        if kept is not None and not kept.all():
            rows = rows.filter(pa.array(kept))
        self._waiting[dataset].append(rows)
        self.rows[dataset] += rows.num_rows
        if sum(batch.num_rows for batch in self._waiting[dataset]) >= GROUP_ROWS:
            self._write(dataset)

    def commit(self) -> tuple[str, ...]:
        """Put everything under its name; the names, below landing. Tracks come first: an event needs its track."""
        for dataset in SCHEMAS:
            self._write(dataset)
            self._close(dataset)
        with _the_disk(self._landing):
            for dataset, targets in self._targets.items():
                stale = set(self._folder(dataset).glob(f"{self._stem}-*.parquet")) - set(targets)
                for target in targets:
                    os.replace(_beside(target), target)
                for path in stale:
                    path.unlink()
        return tuple(path.relative_to(self._landing).as_posix() for paths in self._targets.values() for path in paths)

    def discard(self) -> None:
        """Leave nothing of what isn't committed."""
        for writer, _ in self._open.values():
            with contextlib.suppress(OSError, pa.ArrowException):
                writer.close()
        for targets in self._targets.values():
            for target in targets:
                with contextlib.suppress(OSError):
                    _beside(target).unlink(missing_ok=True)

    def _write(self, dataset: str) -> None:
        batches = self._waiting[dataset]
        if not batches:
            return
        writer, rows = self._open.get(dataset) or (self._next_part(dataset), 0)
        table = pa.Table.from_batches(batches)
        with _the_disk(self._landing):
            writer.write_table(table, row_group_size=2 * GROUP_ROWS)
        self._waiting[dataset] = []
        self._open[dataset] = (writer, rows + table.num_rows)
        if rows + table.num_rows >= PART_ROWS:
            self._close(dataset)

    def _next_part(self, dataset: str) -> pq.ParquetWriter:
        target = self._folder(dataset) / f"{self._stem}-{len(self._targets[dataset]):04d}.parquet"
        with _the_disk(self._landing):
            target.parent.mkdir(parents=True, exist_ok=True)
            self._targets[dataset].append(target)
            schema = SCHEMAS[dataset]
            # Every event's id is another: a dictionary of them would only be built and thrown away.
            repeating = [name for name in schema.names if name != "event_id"]
            return pq.ParquetWriter(_beside(target), schema, compression="zstd", use_dictionary=repeating)

    def _close(self, dataset: str) -> None:
        if dataset in self._open:
            writer, _ = self._open.pop(dataset)
            with _the_disk(self._landing):
                writer.close()
                _sync(_beside(self._targets[dataset][-1]))

    def _folder(self, dataset: str) -> Path:
        return self._landing / dataset / (self._tracks_folder if dataset == "tracks" else "")


def _array(values: Any, kind: pa.DataType, length: int) -> pa.Array:
    if values is None:
        return pa.nulls(length, kind)
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values if values.type == kind else values.cast(kind)
    return pa.array(values, kind)


def _beside(target: Path) -> Path:
    """A name that intake leaves alone."""
    return target.with_name(f".{target.name}{_TEMPORARY_ENDING}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _the_disk(landing: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{landing}: can't be written ({error.strerror or error}); see to the disk") from error


@contextlib.contextmanager
def landing_files(landing: Path, stem: str, tracks_folder: str, progress: Progress) -> Iterator[LandingWriter]:
    """A writer whose files count once it has committed. One import at a time writes into a landing folder."""
    with _the_disk(landing):
        landing.mkdir(parents=True, exist_ok=True)
        lock = os.open(landing / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take_turns(lock, progress)
        _remove_leftovers(landing)
        writer = LandingWriter(landing, stem, tracks_folder)
        try:
            yield writer
        finally:
            writer.discard()
    finally:
        os.close(lock)


def _remove_leftovers(landing: Path) -> None:
    """Delete what a killed import left; whoever has the lock is the only one who writes here."""
    with _the_disk(landing):
        for name in SCHEMAS:
            for leftover in (landing / name).rglob(f".import-*{_TEMPORARY_ENDING}"):
                leftover.unlink(missing_ok=True)


def _take_turns(lock: int, progress: Progress) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        progress("waiting: another import writes into this home")
        fcntl.flock(lock, fcntl.LOCK_EX)
