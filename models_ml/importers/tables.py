"""Delimited text of any size in blocks of columns.

Belongs here: streaming, quoting, rows with another number of values, bytes that are no UTF-8.
Does not: which column means what (the formats).
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from models_ml.errors import InputError
from models_ml.importers.sources import CHUNK_BYTES, ByteStream, Member

_BOM = b"\xef\xbb\xbf"
_LINE_ENDS = b"\r\n"
_EMPTY = "Empty CSV file"
_ENDLESS = "straddling object"


@dataclass(frozen=True)
class Layout:
    """How a file of delimited text is written.

    columns: how many a row has.  header_rows: rows before the first of data.
    """

    columns: int
    delimiter: str
    is_quoted: bool
    header_rows: int

    @property
    def end_row(self) -> str:
        """A row after the last, of one value too many: the parser meets it as a row unless a quote is open."""
        return "monday-mix:end" + self.delimiter * self.columns


@dataclass(frozen=True)
class TableBlock:
    """Columns in the order asked for, each (rows,) text without nulls; unreadable: rows that are in none of them."""

    columns: list[pa.Array]
    unreadable: int

    @property
    def rows(self) -> int:
        """Rows that could be read."""
        return len(self.columns[0]) if self.columns else 0


@contextmanager
def opened_table(member: Member) -> Iterator[ByteStream]:
    """The member's bytes from its first row on, past a byte order mark and blank lines."""
    with member.open() as stream:
        if stream.peek().startswith(_BOM):
            stream.read(len(_BOM))
        while blank := len(head := stream.peek()) - len(head.lstrip(_LINE_ENDS)):
            stream.read(blank)
        yield stream


def first_row(stream: ByteStream, delimiter: str) -> list[str]:
    """Values of the first line, as a CSV with this delimiter; the line stays to be read."""
    line = stream.peek().split(b"\n", 1)[0].decode(errors="replace").rstrip("\r")
    rows = list(csv.reader([line], delimiter=delimiter))
    return rows[0] if rows else []


def delimited_blocks(stream: ByteStream, layout: Layout, wanted: Sequence[int], expected: str) -> Iterator[TableBlock]:
    """The wanted columns, by place from 0, of a stream at its first row.

    Raises InputError where the file can't be taken apart, such as at a quote that never ends: the rows after it can't
    be told apart. Rows are numbered from the first of data; blank lines are none.
    """
    invalid = _Invalid(layout)
    rows = 0
    source = _WithEndRow(stream, layout.end_row) if layout.is_quoted else stream
    try:
        reader = pa_csv.open_csv(pa.PythonFile(source, mode="r"), **_options(layout, wanted, invalid))
        for batch in reader:
            rows += batch.num_rows
            arrays = [batch.column(str(place)) for place in wanted]
            unreadable = invalid.take()
            texts, broken = _decoded(arrays)
            yield TableBlock(texts, unreadable + broken)
    except pa.ArrowInvalid as error:
        if _EMPTY in str(error):
            return
        if layout.is_quoted and _ENDLESS in str(error):
            row_number = rows + invalid.rows + 1
            raise InputError(
                f"{stream.shown_as}: row {row_number} doesn't end within {CHUNK_BYTES >> 20} MiB; close its quotes"
            ) from error
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{stream.shown_as}: can't be read ({reason}); expected {expected}") from error
    if layout.is_quoted and not invalid.is_at_end:
        row_number = rows + invalid.rows
        raise InputError(
            f"{stream.shown_as}: a quoted value that begins in row {row_number} is never closed; close the quote"
        )
    if left := invalid.take():
        yield TableBlock([pa.array([], pa.string()) for _ in wanted], left)


class _WithEndRow(io.RawIOBase):
    """A stream of rows and the end row behind them."""

    def __init__(self, stream: ByteStream, end_row: str) -> None:
        super().__init__()
        self._stream = stream
        self._end = f"\n{end_row}\n".encode()

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """As many bytes as asked for, and the end row once there are no more."""
        content = self._stream.read(size)
        if 0 <= size <= len(content):
            return content
        end, self._end = self._end, b""
        return content + end


class _Invalid:
    """Rows that the parser couldn't use.

    rows: how many.  is_at_end: whether the last of them was the end row, which doesn't count.
    """

    def __init__(self, layout: Layout) -> None:
        self.rows = 0
        self.is_at_end = False
        self._layout = layout
        self._lost = 0

    def __call__(self, row: Any) -> str:
        self.is_at_end = row.text == self._layout.end_row
        if not self.is_at_end:
            self.rows += 1
            self._lost += _rows_lost(row.text, self._layout.delimiter)
        return "skip"

    def take(self) -> int:
        """How many rows of the writer's were lost by them since it was asked last."""
        lost, self._lost = self._lost, 0
        return lost


def _rows_lost(text: str, delimiter: str) -> int:
    """1, or its lines where a quote left open took in the rows up to the next quote, which ends no value."""
    if "\n" not in text:
        return 1
    try:
        list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return 1 + text.count("\n")
    return 1


def _options(layout: Layout, wanted: Sequence[int], invalid: _Invalid) -> dict[str, Any]:
    names = [str(place) for place in range(layout.columns)]
    return {
        "read_options": pa_csv.ReadOptions(
            use_threads=False, block_size=CHUNK_BYTES, column_names=names, skip_rows=layout.header_rows
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=layout.delimiter,
            quote_char='"' if layout.is_quoted else False,
            newlines_in_values=layout.is_quoted,
            invalid_row_handler=invalid,
        ),
        "convert_options": pa_csv.ConvertOptions(
            # As bytes: one value that isn't UTF-8 would end the file.
            column_types={name: pa.binary() for name in names},
            include_columns=[str(place) for place in dict.fromkeys(wanted)],
        ),
    }


def _decoded(arrays: Sequence[pa.Array]) -> tuple[list[pa.Array], int]:
    """Bytes as text, and how many rows went because one of their values is none."""
    try:
        return [array.cast(pa.string()) for array in arrays], 0
    except pa.ArrowInvalid:
        texts = [pa.array([_text(value) for value in array.to_pylist()], pa.string()) for array in arrays]
    kept: npt.NDArray[np.bool_] = np.logical_and.reduce([pc.is_valid(text).to_numpy(False) for text in texts])
    return [text.filter(pa.array(kept)) for text in texts], int((~kept).sum())


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None
