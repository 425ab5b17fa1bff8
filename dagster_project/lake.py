"""The lake: Parquet tables, one folder a week, that dbt and Python hand to each other.

Belongs here: the only doors to a week of a table, and the empty stand-ins that let plain `dbt build` work.
Does not: what the tables mean (table_schemas.py, warehouse/), the landing files (models_ml/landing).
"""

import datetime as dt
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.errors import InputError

PART = "part.parquet"
COMMITTED = "_committed"
# A Monday before any partition: the folder of the typed, empty stand-in of a table.
NO_WEEK = dt.date(1970, 1, 5)
ROWS_PER_GROUP = 122_880  # what DuckDB reads as one morsel
_ROWS_HASHED_AT_ONCE = 65_536


@dataclass(frozen=True)
class Lake:
    """Tables named `layer/table`; each week is one Parquet file in a folder of its own."""

    root: Path

    def folder(self, table: str, week: dt.date) -> Path:
        """Folder of one week, there or not."""
        return self.root / table / f"week={week.isoformat()}"

    def has_week(self, table: str, week: dt.date) -> bool:
        """True once the week's commit marker is there."""
        return (self.folder(table, week) / COMMITTED).exists()

    def path(self, table: str, week: dt.date) -> Path:
        """File of a committed week. Raises InputError naming what to materialize where it isn't there."""
        if not self.has_week(table, week):
            raise InputError(f"lake table {table}: no week {week}; materialize {table} for {week} first")
        return self.folder(table, week) / PART

    def read_week(self, table: str, week: dt.date, columns: list[str] | None = None) -> pa.Table:
        """The rows of one committed week."""
        return pq.read_table(self.path(table, week), columns=columns, partitioning=None)

    def replace_week(
        self, table: str, week: dt.date, rows: pa.Table | Iterable[pa.RecordBatch], schema: pa.Schema | None = None
    ) -> int:
        """Write one week whole, in place of what was there. Returns the number of rows."""
        folder = self.folder(table, week)
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{PART}.writing"
        if isinstance(rows, pa.Table):
            schema, rows = schema or rows.schema, rows.cast(schema or rows.schema).to_batches()
        count = _write(beside, rows, schema)
        self._commit(folder, beside)
        return count

    @contextmanager
    def writing(self, table: str, week: dt.date, schema: pa.Schema) -> Iterator[Callable[[pa.Table], None]]:
        """A function that appends rows to one week; what was there is replaced when the block ends well."""
        folder = self.folder(table, week)
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{PART}.writing"
        with pq.ParquetWriter(beside, schema, compression="zstd") as writer:
            yield lambda rows: writer.write_table(rows.cast(schema), row_group_size=ROWS_PER_GROUP)
        self._commit(folder, beside)

    def batches(self, table: str, week: dt.date, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows of one committed week, at most so many at once."""
        with pq.ParquetFile(self.path(table, week)) as file:
            yield from file.iter_batches(batch_size=rows)

    def row_count(self, table: str, week: dt.date) -> int:
        """Rows of one committed week."""
        return int(pq.read_metadata(self.path(table, week)).num_rows)

    def weeks(self) -> dict[dt.date, list[str]]:
        """Tables by week, all that are whole; stand-ins are none."""
        found: dict[dt.date, list[str]] = {}
        for marker in sorted(self.root.glob(f"*/*/week=*/{COMMITTED}")):
            week = dt.date.fromisoformat(marker.parent.name.removeprefix("week="))
            if week != NO_WEEK:
                found.setdefault(week, []).append(marker.parent.parent.relative_to(self.root).as_posix())
        return found

    @contextmanager
    def rewriting(self, table: str, week: dt.date) -> Iterator[Path]:
        """A path to write a committed week to once more; it replaces what is there when the block ends well."""
        folder = self.path(table, week).parent
        beside = folder / f".{PART}.writing"
        yield beside
        self._commit(folder, beside)

    def adopt(self, table: str, week: dt.date, file: Path) -> int:
        """Make a file that dbt wrote the week of a table. Returns the number of rows.

        The file is linked, not moved: dbt's view on it stays valid. dbt never writes into an existing
        file (DuckDB writes beside and renames), so what was adopted doesn't change later.
        """
        folder = self.folder(table, week)
        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f".{PART}.writing"
        beside.unlink(missing_ok=True)
        link(file, beside)
        self._commit(folder, beside)
        return int(pq.read_metadata(folder / PART).num_rows)

    def lend(self, table: str, week: dt.date, file: Path) -> None:
        """Put a committed week where dbt's view looks for it."""
        file.parent.mkdir(parents=True, exist_ok=True)
        beside = file.with_name(f".{file.name}.writing")
        beside.unlink(missing_ok=True)
        link(self.path(table, week), beside)
        os.replace(beside, file)

    def ensure_stand_in(self, table: str, schema: pa.Schema) -> None:
        """A typed, empty week, so that a glob over the table always matches and has its columns."""
        if not self.has_week(table, NO_WEEK) or pq.read_schema(self.folder(table, NO_WEEK) / PART) != schema:
            self.replace_week(table, NO_WEEK, schema.empty_table())

    def content_hash(self, table: str, week: dt.date, leave_out: frozenset[str] = frozenset()) -> str:
        """Hash of a week's rows in their order, whatever the file's layout; as much in memory at once as hashed."""
        with pq.ParquetFile(self.path(table, week)) as file:
            schema = file.schema_arrow
            names = [name for name in schema.names if name not in leave_out]
            batches = file.iter_batches(batch_size=_ROWS_HASHED_AT_ONCE, columns=names)
            return _hash_of(pa.schema([schema.field(name) for name in names]), batches)

    def _commit(self, folder: Path, beside: Path) -> None:
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, folder / PART)
        (folder / COMMITTED).touch()
        descriptor = os.open(folder, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)


def content_hash(rows: pa.Table) -> str:
    """sha256 over schema and values of a table, batch boundaries left out of it."""
    return _hash_of(rows.schema, rows.to_batches())


def _hash_of(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> str:
    digest = hashlib.sha256()
    digest.update(repr([(field.name, str(field.type)) for field in schema]).encode())
    for block in _blocks(batches, _ROWS_HASHED_AT_ONCE):
        for name, values in zip(block.schema.names, block.columns, strict=True):
            if values.null_count:  # what lies under a null is whatever was there before
                digest.update(np.packbits(pc.is_valid(values).to_numpy(zero_copy_only=False)).tobytes())
                values = values.drop_null()
            digest.update(pa.record_batch([values], names=[name]).serialize())
    return digest.hexdigest()


def _blocks(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of exactly so many, the last one shorter."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        start = 0
        while count + batch.num_rows - start >= rows:
            waiting.append(batch.slice(start, rows - count))
            yield pa.concat_batches(waiting)
            start, count, waiting = start + rows - count, 0, []
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
            count += batch.num_rows - start
    if waiting:
        yield pa.concat_batches(waiting)


def _write(path: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema | None) -> int:
    count, writer = 0, None
    try:
        for batch in batches:
            if writer is None:
                writer = pq.ParquetWriter(path, schema or batch.schema, compression="zstd")
            writer.write_batch(batch, row_group_size=ROWS_PER_GROUP)
            count += batch.num_rows
        if writer is None:
            if schema is None:
                raise InputError(f"{path}: no rows and no schema to write")
            writer = pq.ParquetWriter(path, schema, compression="zstd")
    finally:
        if writer is not None:
            writer.close()
    return count


def link(source: Path, target: Path) -> None:
    """The same file under another name."""
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links, or another device
        shutil.copyfile(source, target)
