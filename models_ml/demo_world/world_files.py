"""Files of a demo world: each dataset in a format of its own, streamed, the same bytes for the same rows.

Belongs here: formats, compression, which file a row goes to.
Does not: rows (the modules that make tables), when a world counts as written (world.py).
"""

import io
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.demo_world.draws import Ints
from models_ml.demo_world.size import WEEK_MS, WorldSize
from models_ml.demo_world.table_files import TableFile, open_table_file

# Every format that landing takes is met by someone.
FILE_NAMES: Mapping[str, str] = {
    "tracks": "tracks-0000.parquet",
    "users": "users-0000.csv.gz",
    "playlists": "playlists-0000.ndjson.zst",
    "playlist_tracks": "playlist_tracks-0000.parquet",
    "track_tags": "track_tags-0000.csv.zst",
    "documents": "documents-0000.ndjson.gz",
    "subscriptions": "subscriptions-0000.csv",
    "overrides": "overrides-0000.jsonl",
    "play_counts": "play_counts-0000.csv.gz",
}
# A part of a week's events is closed after so many rows.
ROWS_A_PART = 2_000_000


class WorldFiles:
    """Open files of a world under a folder; tables are appended, everything is closed at the end."""

    def __init__(self, folder: Path, size: WorldSize) -> None:
        self._folder = folder
        self._size = size
        self._open = ExitStack()
        self._sinks: dict[str, TableFile] = {}
        self._rows: dict[str, int] = {}
        self._rows_of_part: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def rows(self) -> Mapping[str, int]:
        """Rows written so far, by dataset, sorted by name."""
        return dict(sorted(self._rows.items()))

    def write(self, dataset: str, table: pa.Table) -> None:
        """Append to the dataset's file; a table without rows leaves no file."""
        self.append(f"{dataset}/{FILE_NAMES[dataset]}", dataset, table)

    def write_events(self, events: pa.Table) -> None:
        """Append events sorted by moment to their weeks' Parquet files."""
        when = events["occurred_at"].cast(pa.int64()).to_numpy()
        self._by_week("part", ".parquet", events, when)

    def write_retries(self, table: pa.Table) -> None:
        """Append broken events, `_week_ms` saying when they were sent, to their weeks' NDJSON files."""
        table = table.sort_by("_week_ms")
        when = table["_week_ms"].to_numpy()
        self._by_week("retries", ".ndjson.gz", table.drop_columns(["_week_ms"]), when)

    def write_unreadable(self, events: pa.Table, files: int) -> None:
        """Parquet files that break off in the middle, one in each of the last weeks."""
        whole = io.BytesIO()
        pq.write_table(events, whole)
        for back in range(min(files, self._size.history_weeks)):
            week = self._size.history_weeks - 1 - back
            path = self._folder / self._week_folder(week) / "broken-off-0000.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])

    def _by_week(self, stem: str, ending: str, table: pa.Table, when: Ints) -> None:
        edges = self._size.start_ms + np.arange(self._size.history_weeks + 1) * WEEK_MS
        bounds = np.searchsorted(when, edges)
        for week in range(self._size.history_weeks):
            rows = table.slice(int(bounds[week]), int(bounds[week + 1] - bounds[week]))
            written = self._rows_of_part.get(f"{stem} {week}", 0)
            part = written // ROWS_A_PART
            self.append(f"{self._week_folder(week)}/{stem}-{part:04d}{ending}", "events", rows)
            self._rows_of_part[f"{stem} {week}"] = written + len(rows)

    def _week_folder(self, week: int) -> str:
        day = np.datetime64(self._size.first_day) + 7 * week
        return f"events/week={day}"

    def append(self, path: str, dataset: str, table: pa.Table) -> None:
        """Append to a file below the folder, opened at its first rows."""
        if not len(table):
            return
        if path not in self._sinks:
            target = self._folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            self._sinks[path] = self._open.enter_context(open_table_file(target, table.schema))
        self._sinks[path].write(table)
        self._rows[dataset] = self._rows.get(dataset, 0) + len(table)
