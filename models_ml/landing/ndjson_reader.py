"""NDJSON landing files as raw batches: one JSON object a line.

Belongs here: splitting into lines, parsing each, and keeping the ones that don't parse.
Does not: conversions to text (values), what columns mean (contract).

Row numbers are line numbers; blank lines count and hold no row.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from models_ml.landing.batches import (
    MalformedRow,
    MatchedColumns,
    RawBatch,
    match_columns,
    plain_name,
    require_columns,
)
from models_ml.landing.contract import Dataset, Kind
from models_ml.landing.files import open_bytes
from models_ml.landing.values import is_nested, texts_of

CHUNK_BYTES = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\r"


def read_ndjson(path: Path, compression: str | None, dataset: Dataset, shown_as: str) -> Iterator[RawBatch]:
    """Rows of an NDJSON file; lines that are no JSON object are malformed.

    Raises InputError, once all lines are read, where no object has a required column.
    """
    names: dict[str, None] = {}
    first_line = 1
    with open_bytes(path, compression) as stream:
        for lines in _line_blocks(stream):
            rows, numbers, malformed = _parsed(lines, first_line)
            names.update(dict.fromkeys(name for row in rows for name in row))
            matched = match_columns(list(names), dataset, shown_as)
            yield _raw_batch(rows, numbers, malformed, matched, dataset)
            first_line += len(lines)
    if names:
        require_columns(list(names), match_columns(list(names), dataset, shown_as), dataset, shown_as)


def _line_blocks(stream: Any) -> Iterator[list[bytes]]:
    """Whole lines, about CHUNK_BYTES at a time."""
    rest = [stream.read(CHUNK_BYTES).removeprefix(_BOM)]
    while chunk := stream.read(CHUNK_BYTES):
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield b"".join([*rest, head]).split(b"\n")
            rest = []
        rest.append(tail)
    last = b"".join(rest).removesuffix(b"\n")
    if last:
        yield last.split(b"\n")


def _parsed(
    lines: Sequence[bytes], first_line: int
) -> tuple[list[dict[str, Any]], np.ndarray, tuple[MalformedRow, ...]]:
    """Objects, (rows,) their line numbers, and the lines that are none."""
    try:
        parsed = [orjson.loads(line) for line in lines]
        errors: dict[int, str] = {}
    except orjson.JSONDecodeError:
        parsed, errors = _parsed_one_by_one(lines)
    rows = [value for value in parsed if isinstance(value, dict)]
    if len(rows) == len(lines):
        return rows, np.arange(first_line, first_line + len(lines), dtype=np.int64), ()
    numbers = [first_line + i for i, value in enumerate(parsed) if isinstance(value, dict)]
    malformed = tuple(
        MalformedRow(first_line + i, errors.get(i, "malformed json: not an object"), _text(lines[i]))
        for i, value in enumerate(parsed)
        if not isinstance(value, dict) and lines[i].strip(_BLANKS)
    )
    return rows, np.array(numbers, dtype=np.int64), malformed


def _parsed_one_by_one(lines: Sequence[bytes]) -> tuple[list[Any], dict[int, str]]:
    parsed: list[Any] = [None] * len(lines)
    errors: dict[int, str] = {}
    for i, line in enumerate(lines):
        try:
            parsed[i] = orjson.loads(line)
        except orjson.JSONDecodeError:
            errors[i] = "malformed json"
    return parsed, errors


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode(errors="replace")


def _raw_batch(
    rows: Sequence[Mapping[str, Any]],
    numbers: np.ndarray,
    malformed: tuple[MalformedRow, ...],
    matched: MatchedColumns,
    dataset: Dataset,
) -> RawBatch:
    kinds = {column.name: column.kind for column in dataset.columns}
    return RawBatch(
        row_numbers=pa.array(numbers),
        columns={
            plain: _column([row.get(name) for row in rows], kinds[plain]) for plain, name in matched.contract.items()
        },
        extras=_extras(rows, frozenset(kinds), bool(matched.unknown)),
        malformed=malformed,
    )


def _column(values: list[Any], kind: Kind) -> pa.Array:
    """Values as one array: of lists where the contract has a list and all are flat lists, else of texts."""
    if kind not in ("list", "vector"):
        return texts_of(values)
    try:
        array = pa.array(values)
    except (pa.ArrowException, OverflowError, TypeError):
        return texts_of(values)
    is_flat_list = pa.types.is_list(array.type) and not is_nested(array.type.value_type)
    return array if is_flat_list else texts_of(values)


def _extras(rows: Sequence[Mapping[str, Any]], known: frozenset[str], has_unknown: bool) -> pa.Array:
    if not has_unknown:
        return pa.nulls(len(rows), pa.string())
    kept = [
        {name: value for name, value in row.items() if value is not None and plain_name(name) not in known}
        for row in rows
    ]
    texts = [orjson.dumps(extra, option=orjson.OPT_SORT_KEYS).decode() if extra else None for extra in kept]
    return pa.array(texts, pa.string())
