"""The intake schema, and rows of any format brought into it.

Belongs here: matching a file's columns to the contract, and building intake batches from raw ones.
Does not: parsing a format (one reader each), converting single arrays (values).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import orjson
import pyarrow as pa

from models_ml.errors import InputError
from models_ml.landing import values
from models_ml.landing.contract import Column, Dataset
from models_ml.landing.files import UnreadableFileError

_TYPES = {"list": values.TEXT_LIST, "vector": values.VECTOR}


@dataclass(frozen=True)
class MalformedRow:
    """A row that couldn't be parsed: its 1-based number, what is wrong, and its text."""

    row_number: int
    error: str
    raw: str


@dataclass(frozen=True)
class RawBatch:
    """Rows as a format gives them.

    row_numbers: (n,) int64, 1-based.  columns: contract name to (n,) values of any type.
    extras: (n,) string, unknown columns as JSON.  faults: rows with a value that can't be read, by position.
    malformed: rows that have no values at all.
    """

    row_numbers: pa.Array
    columns: Mapping[str, pa.Array]
    extras: pa.Array
    faults: Mapping[int, MalformedRow] = field(default_factory=dict)
    malformed: tuple[MalformedRow, ...] = ()


@dataclass(frozen=True)
class MatchedColumns:
    """contract: contract name to the file's name.  unknown: the file's other names."""

    contract: Mapping[str, str]
    unknown: tuple[str, ...]


def intake_schema(dataset: Dataset) -> pa.Schema:
    """Columns of the dataset's intake files: where the row came from, then the contract as text or lists."""
    return pa.schema(
        [
            ("_file_hash", pa.string()),
            ("_row", pa.int64()),
            ("_parse_error", pa.string()),
            ("_extras", pa.string()),
            *((column.name, _TYPES.get(column.kind, values.TEXT)) for column in dataset.columns),
        ]
    )


def match_columns(names: Sequence[str], dataset: Dataset, shown_as: str) -> MatchedColumns:
    """Which column of the file is which of the contract; case and blanks around a name don't matter.

    Raises InputError where a name comes twice.
    """
    known = frozenset(dataset.column_names)
    seen: dict[str, str] = {}
    for name in names:
        plain = plain_name(name)
        if plain in seen:
            raise InputError(
                f"{shown_as}: dataset {dataset.name} has the column {plain} twice "
                f"({seen[plain]!r}, {name!r}); rename or remove one"
            )
        seen[plain] = name
    contract = {plain: name for plain, name in seen.items() if plain in known}
    return MatchedColumns(contract, tuple(name for plain, name in seen.items() if plain not in known))


def plain_name(name: str) -> str:
    """A column's name for comparison: without blanks around it, in lower case."""
    return name.strip().lower()


def require_columns(names: Sequence[str], matched: MatchedColumns, dataset: Dataset, shown_as: str) -> None:
    """Raise InputError naming the first required column that a file lacks."""
    for column in dataset.columns:
        if column.required and column.name not in matched.contract:
            raise InputError(
                f"{shown_as}: dataset {dataset.name} needs the column {column.name}; "
                f"the file has columns {', '.join(names) or 'none'}"
            )


def intake_batch(raw: RawBatch, dataset: Dataset, file_hash: str, shown_as: str) -> pa.RecordBatch:
    """Raw rows in the intake schema, in order of row number.

    Raises UnreadableFileError where a column holds what can't be text.
    """
    length = len(raw.row_numbers)
    faults = dict(raw.faults)
    columns = [
        _converted(column, raw.columns.get(column.name), raw.row_numbers, faults, shown_as)
        for column in dataset.columns
    ]
    errors = pa.nulls(length, pa.string())
    extras = raw.extras
    if faults:
        errors, extras = _with_faults(extras, faults)
    schema = intake_schema(dataset)
    hashes = pa.repeat(pa.scalar(file_hash, pa.string()), length)
    batch = pa.record_batch([hashes, raw.row_numbers, errors, extras, *columns], schema=schema)
    return _with_malformed(batch, raw.malformed, file_hash) if raw.malformed else batch


def _converted(
    column: Column,
    array: pa.Array | None,
    row_numbers: pa.Array,
    faults: dict[int, MalformedRow],
    shown_as: str,
) -> pa.Array:
    """The column in its intake type; rows whose list can't be read are added to `faults`."""
    if array is None:
        return pa.nulls(len(row_numbers), _TYPES.get(column.kind, values.TEXT))
    if values.is_binary(array.type):
        raise UnreadableFileError(
            f"{shown_as}: column {column.name} holds bytes ({array.type}), not text; write it as strings"
        )
    if column.kind not in _TYPES:
        return values.as_text(array)
    converted, bad = (values.as_vector if column.kind == "vector" else values.as_text_list)(array)
    for position in np.flatnonzero(bad).tolist():
        raw = values.as_text(array.slice(position, 1))[0].as_py() or ""
        fault = MalformedRow(row_numbers[position].as_py(), f"malformed {column.kind} in {column.name}", raw)
        faults.setdefault(position, fault)
    return converted


def _with_faults(extras: pa.Array, faults: Mapping[int, MalformedRow]) -> tuple[pa.Array, pa.Array]:
    errors = [faults[i].error if i in faults else None for i in range(len(extras))]
    raws = [_raw_json(faults[i].raw) if i in faults else text for i, text in enumerate(extras.to_pylist())]
    return pa.array(errors, pa.string()), pa.array(raws, pa.string())


def _raw_json(raw: str) -> str:
    return orjson.dumps({"raw": raw}).decode()


def _with_malformed(batch: pa.RecordBatch, malformed: Sequence[MalformedRow], file_hash: str) -> pa.RecordBatch:
    """The batch with its malformed rows put where they stood in the file."""
    count = len(malformed)
    start = [
        pa.repeat(pa.scalar(file_hash, pa.string()), count),
        pa.array([row.row_number for row in malformed], pa.int64()),
        pa.array([row.error for row in malformed], pa.string()),
        pa.array([_raw_json(row.raw) for row in malformed], pa.string()),
    ]
    nulls = [pa.nulls(count, kind) for kind in batch.schema.types[len(start) :]]
    added = pa.record_batch([*start, *nulls], schema=batch.schema)
    both = pa.concat_batches([batch, added])
    return both.take(pa.array(np.argsort(both.column("_row").to_numpy(), kind="stable")))
