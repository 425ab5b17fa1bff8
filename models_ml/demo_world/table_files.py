"""Appending Arrow tables to Parquet, CSV and NDJSON files, the last two plain, gz or zst.

Belongs here: formats. The same tables give the same bytes: no clock, no file name inside.
Does not: which table goes where (world_files.py).
"""

import gzip
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

_ISO = "%Y-%m-%dT%H:%M:%SZ"
_GZIP_LEVEL = 6


class TableFile(Protocol):
    """A file that tables are appended to, closed by its `with`."""

    def write(self, table: pa.Table) -> None:
        """Append the rows."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_table_file(path: Path, schema: pa.Schema) -> TableFile:
    """A new file in the format that the path's ending names; schema: of all tables to come."""
    endings = path.suffixes
    if endings[-1] == ".parquet":
        return _ParquetFile(path, schema)
    return _LineFile(path, schema, endings)


class _ParquetFile:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


class _LineFile:
    """CSV with a header, or NDJSON."""

    def __init__(self, path: Path, schema: pa.Schema, endings: list[str]) -> None:
        self._open = ExitStack()
        self._sink = self._open.enter_context(_sink(path, endings[-1], self._open))
        self._csv: Any = None
        if ".csv" in endings:
            self._csv = self._open.enter_context(pa_csv.CSVWriter(self._sink, _flat(schema.empty_table()).schema))

    def write(self, table: pa.Table) -> None:
        if self._csv is not None:
            self._csv.write_table(_flat(table))
            return
        lines = [orjson.dumps(row) for row in _spelt(table).to_pylist()]
        self._sink.write(b"\n".join([*lines, b""]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()


def _sink(path: Path, ending: str, beneath: ExitStack) -> Any:
    """Where bytes go; gzip without the time and the name that it would put into its header."""
    if ending == ".gz":
        plain = beneath.enter_context(path.open("wb"))
        return gzip.GzipFile(filename="", mode="wb", compresslevel=_GZIP_LEVEL, fileobj=plain, mtime=0)
    if ending == ".zst":
        return pa.CompressedOutputStream(str(path), "zstd")
    return path.open("wb")


def _spelt(table: pa.Table) -> pa.Table:
    """Moments as ISO texts in UTC."""
    columns = [
        pc.strftime(column.cast(pa.timestamp("s", tz="UTC"), safe=False), _ISO)
        if pa.types.is_timestamp(column.type)
        else column
        for column in table.columns
    ]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def _flat(table: pa.Table) -> pa.Table:
    """Lists as values separated by '|', as far as a cell can hold them."""
    table = _spelt(table)
    columns = [pc.binary_join(column, "|") if pa.types.is_list(column.type) else column for column in table.columns]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))
