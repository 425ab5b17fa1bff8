"""CSV landing files as raw batches: comma, double quotes, a header, UTF-8 with or without BOM.

Belongs here: reading CSV as text, numbering its rows, and keeping the ones that don't parse.
Does not: types of values (the warehouse), splitting lists (values).

Row numbers count rows after the header, a quoted line break inside one row; blank lines don't count.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from models_ml.landing.batches import MalformedRow, MatchedColumns, RawBatch, match_columns, require_columns
from models_ml.landing.contract import Dataset
from models_ml.landing.files import UnreadableFileError, open_bytes
from models_ml.landing.values import json_objects

# A row has to fit a block; the longest document does.
BLOCK_BYTES = 16 * 1024 * 1024
_HEADER_BYTES = 1024 * 1024
_TAIL_CHARACTERS = 64
# Stands behind each character that wasn't UTF-8; no text has it.
_BROKEN = "\0"
_MARK_BROKEN = "monday_mix.mark_broken"


def read_csv(path: Path, compression: str | None, dataset: Dataset, shown_as: str) -> Iterator[RawBatch]:
    """Rows of a CSV file; empty text is null, rows of the wrong length are malformed.

    Raises UnreadableFileError where a quote is never closed: the rows after it can't be told apart.
    """
    with open_bytes(path, compression) as stream:
        start = stream.read(_HEADER_BYTES)
    header = _header(start, shown_as)
    if not header:
        return
    matched = match_columns(header, dataset, shown_as)
    require_columns(header, matched, dataset, shown_as)
    if len(start) < _HEADER_BYTES and len(start.strip().splitlines()) < 2:
        return
    with open_bytes(path, compression) as stream:
        yield from _rows(_MarkedText(stream), header, matched, shown_as)


def _header(start: bytes, shown_as: str) -> list[str]:
    """Column names, from the first line that isn't blank; none where every line is."""
    try:
        lines = io.StringIO(start.decode("utf-8-sig", errors="surrogateescape"), newline="")
        names = next((row for row in csv.reader(lines) if row), [])
        "".join(names).encode()
    except (UnicodeError, csv.Error) as error:
        raise UnreadableFileError(
            f"{shown_as}: the column names are not UTF-8 text; write the file as UTF-8 with a header line"
        ) from error
    return names


def _rows(stream: "_MarkedText", header: list[str], matched: MatchedColumns, shown_as: str) -> Iterator[RawBatch]:
    skipped: list[MalformedRow] = []
    next_row = 1
    last_value: str | None = None
    for batch in _batches(stream, header, skipped):
        numbers = _row_numbers(next_row, batch.num_rows, skipped)
        if len(numbers) == 0:
            continue
        next_row = int(numbers[-1]) + 1
        before = [row for row in skipped if row.row_number < next_row]
        skipped[:] = skipped[len(before) :]
        raw = _raw_batch(batch, header, matched, numbers, before)
        last_value = batch.column(len(header) - 1)[-1].as_py()
        yield raw
    _check_quotes_closed(stream.last_bytes, last_value, skipped, next_row - 1, shown_as)
    if skipped:
        nothing = pa.record_batch([pa.nulls(0, pa.string()) for _ in header], names=header)
        yield _raw_batch(nothing, header, matched, np.empty(0, dtype=np.int64), skipped)


def _batches(stream: "_MarkedText", header: list[str], skipped: list[MalformedRow]) -> Iterator[pa.RecordBatch]:
    """Rows as text, block by block; rows of the wrong length are added to `skipped`."""

    def keep(row: Any) -> str:
        error = f"malformed csv row: expected {row.expected_columns} columns, got {row.actual_columns}"
        skipped.append(MalformedRow(row.number - 1, error, row.text.replace(_BROKEN, "")))
        return "skip"

    # One thread: only then does pyarrow number the rows it skips.
    yield from pa_csv.open_csv(
        pa.PythonFile(stream, mode="r"),
        read_options=pa_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=keep),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in header},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _row_numbers(next_row: int, length: int, skipped: Sequence[MalformedRow]) -> np.ndarray:
    """(length,) numbers from next_row on, past those of skipped rows."""
    candidates = np.arange(next_row, next_row + length + len(skipped), dtype=np.int64)
    return candidates[~np.isin(candidates, [row.row_number for row in skipped])][:length]


def _raw_batch(
    batch: pa.RecordBatch,
    header: list[str],
    matched: MatchedColumns,
    numbers: np.ndarray,
    malformed: Sequence[MalformedRow],
) -> RawBatch:
    faults: dict[int, MalformedRow] = {}
    texts = {name: _checked(name, column, numbers, faults) for name, column in zip(header, batch.columns, strict=True)}
    return RawBatch(
        row_numbers=pa.array(numbers),
        columns={plain: texts[name] for plain, name in matched.contract.items()},
        extras=json_objects({name: texts[name] for name in matched.unknown}, batch.num_rows),
        faults=faults,
        malformed=tuple(malformed),
    )


def _checked(name: str, column: pa.Array, numbers: np.ndarray, faults: dict[int, MalformedRow]) -> pa.Array:
    """The column without marks; marked values, which weren't UTF-8, become faults of their rows."""
    marked = pc.fill_null(pc.match_substring(column, _BROKEN), False)
    positions = np.flatnonzero(marked.to_numpy(zero_copy_only=False)).tolist()
    if not positions:
        return column
    texts = pc.replace_substring(column, _BROKEN, "")
    for position in positions:
        error = f"malformed csv row: {name.strip()} is not UTF-8"
        faults.setdefault(position, MalformedRow(int(numbers[position]), error, texts[position].as_py()))
    return texts


def _check_quotes_closed(
    last_bytes: bytes, last_value: str | None, rest: Sequence[MalformedRow], last_row: int, shown_as: str
) -> None:
    """Raise where a quote stays open to the end: pyarrow takes all that follows it for one value."""
    if rest:
        is_open, row_number = _ends_inside_quotes(rest[-1].raw), rest[-1].row_number
    else:
        closed = last_bytes.rstrip(b"\r\n").endswith(b'"')
        is_open, row_number = "\n" in (last_value or "") and not closed, last_row
    if is_open:
        raise UnreadableFileError(
            f"{shown_as}: a quoted value that begins in row {row_number} is never closed; close the quote"
        )


def _ends_inside_quotes(row: str) -> bool:
    """Whether a row's last value began with a quote that isn't closed; one within a value opens nothing."""
    position = 0
    while position < len(row):
        if row[position] == '"':
            closing = row.find('"', position + 1)
            while closing >= 0 and row[closing + 1 : closing + 2] == '"':  # a quote that is doubled stands for itself
                closing = row.find('"', closing + 2)
            if closing < 0:
                return True
            position = closing
        comma = row.find(",", position)
        if comma < 0:
            return False
        position = comma + 1
    return False


class _MarkedText(io.RawIOBase):
    """A stream of UTF-8 with broken bytes marked, which remembers how it ended.

    Marked, because a broken character would otherwise end the whole file: pyarrow can't hand over a row
    that isn't UTF-8.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors=_MARK_BROKEN)
        self.last_bytes = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data, text = b"-", ""
        while data and not text:
            data = self._stream.read(size if size >= 0 else None)
            text = self._decoder.decode(data, final=not data)
        self.last_bytes = (self.last_bytes + text[-_TAIL_CHARACTERS:].encode())[-_TAIL_CHARACTERS:]
        return text.encode()


codecs.register_error(_MARK_BROKEN, lambda error: ("\ufffd" + _BROKEN, getattr(error, "end", 0)))
