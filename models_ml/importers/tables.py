"""Delimited text of any size in blocks of columns.

Belongs here: streaming, quoting, rows with another number of values, bytes that are no UTF-8.
Does not: which column means what (the formats).
"""

import csv
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


@dataclass(frozen=True)
class Layout:
    """How a file of delimited text is written.

    columns: how many a row has.  header_rows: rows before the first of data.
    """

    columns: int
    delimiter: str
    is_quoted: bool
    header_rows: int


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

    Raises InputError where the file can't be taken apart, such as at a quote that never ends.
    """
    invalid = _Counter()
    try:
        reader = pa_csv.open_csv(pa.PythonFile(stream, mode="r"), **_options(layout, wanted, invalid))
        for batch in reader:
            arrays = [batch.column(str(place)) for place in wanted]
            unreadable = invalid.take()
            texts, broken = _decoded(arrays)
            yield TableBlock(texts, unreadable + broken)
    except pa.ArrowInvalid as error:
        if _EMPTY in str(error):
            return
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{stream.shown_as}: can't be read ({reason}); expected {expected}") from error
    if left := invalid.take():
        yield TableBlock([pa.array([], pa.string()) for _ in wanted], left)


class _Counter:
    """Rows that the parser couldn't use."""

    def __init__(self) -> None:
        self._rows = 0

    def __call__(self, row: Any) -> str:
        self._rows += 1
        return "skip"

    def take(self) -> int:
        """Those since it was asked last."""
        rows, self._rows = self._rows, 0
        return rows


def _options(layout: Layout, wanted: Sequence[int], invalid: _Counter) -> dict[str, Any]:
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
