"""Parquet tables without the rows of some listeners, the numbers of the others closed up.

Belongs here: one table written again. Does not: which tables there are, or what is in them.

Positions: a week's tables know listeners and playlists by number, dense and in the order of the ids. Where some go,
those after them move up in every table of the week alike, so that whatever reads the week finds no gap.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.arrays import Ints
from models_ml.errors import MondayMixError
from models_ml.forgetting.people import LISTENER_COLUMNS, PLAYLIST_COLUMN, People

STAMP_KEY = b"monday_mix.forgetting"
ROW_JSON = "row_json"
_ROWS, _WIDE_ROWS = 131_072, 2_048  # held at a time; a row with lists is some 40 kB of candidates


class UnreadableTableError(MondayMixError):
    """A Parquet file that is cut off, broken or no Parquet at all."""


@dataclass(frozen=True)
class Without:
    """What goes from the tables of a week.

    numbers: name of a column of positions to those that go, ascending int64.  stamp: marks a table that was written
    again, since positions must close up once only.
    """

    people: People
    stamp: str
    numbers: Mapping[str, Ints] = field(default_factory=dict)

    def concerns(self, path: Path) -> bool:
        """Whether anything of a table goes or moves. Raises UnreadableTableError."""
        with _reading(path), pq.ParquetFile(path) as file:
            if (file.metadata.metadata or {}).get(STAMP_KEY) == self.stamp.encode():
                return False
            names = file.schema_arrow.names
            if any(name in names and len(gone) for name, gone in self.numbers.items()):
                return True
            owning = [name for name in (*LISTENER_COLUMNS, PLAYLIST_COLUMN, ROW_JSON) if name in names]
            batches = file.iter_batches(batch_size=_ROWS, columns=owning) if owning else ()
            return any(pc.any(self._gone(batch)).as_py() for batch in batches if batch.num_rows)

    def write(self, path: Path, beside: Path) -> None:
        """The table written beside. Raises UnreadableTableError."""
        with pq.ParquetFile(path) as file, writer_like(file, beside) as writer:
            is_wide = any(pa.types.is_nested(kind) for kind in file.schema_arrow.types)
            for batch in _batches(file, path, _WIDE_ROWS if is_wide else _ROWS):
                rows = self._renumbered(kept(batch, pc.invert(self._gone(batch))))
                if rows.num_rows:
                    writer.write_batch(rows)
            writer.add_key_value_metadata({STAMP_KEY.decode(): self.stamp})

    def _gone(self, batch: pa.RecordBatch) -> pa.BooleanArray:
        found = self.people.owns(batch)
        if ROW_JSON in batch.schema.names:
            found = pc.or_(found, _quarantined(batch.column(ROW_JSON), self.people))
        for name, gone in self.numbers.items():
            if name in batch.schema.names:
                found = pc.or_(found, pa.array(np.isin(batch.column(name).to_numpy(), gone)))
        return found

    def _renumbered(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        for name, gone in self.numbers.items():
            if name in rows.schema.names and len(gone):
                place = rows.schema.get_field_index(name)
                old = rows.column(name).to_numpy()
                new = pa.array(old - np.searchsorted(gone, old), rows.schema.field(place).type)
                rows = rows.set_column(place, rows.schema.field(place), new)
        return rows


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise UnreadableTableError(f"{path}: can't be read ({' '.join(str(error).split())})") from error


def _batches(file: pq.ParquetFile, path: Path, batch_size: int) -> Iterator[pa.RecordBatch]:
    """All of a table. What the disk says to the one who writes meanwhile isn't said of this file."""
    with _reading(path):
        yield from file.iter_batches(batch_size=batch_size)


def numbers_of(path: Path, number: str, people: People) -> Ints:
    """Positions of those who go, from the table that gives everyone theirs."""
    found = [np.empty(0, dtype=np.int64)]
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=_ROWS):
            found.append(batch.column(number).filter(people.owns(batch)).to_numpy().astype(np.int64))
    return np.sort(np.concatenate(found))


def _quarantined(rows: pa.Array, people: People) -> pa.BooleanArray:
    """(n,) True for rows, as JSON, of theirs."""
    columns = (*LISTENER_COLUMNS, PLAYLIST_COLUMN)
    parsed = [json.loads(row) for row in rows.to_pylist()]
    values = {name: pa.array([_text(row.get(name)) for row in parsed], pa.string()) for name in columns}
    malformed = [row.get("_extras") if row.get("_parse_error") else None for row in parsed]
    return pc.or_(people.owns(pa.record_batch(values)), people.named_in(pa.array(malformed, pa.string())))


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def kept(batch: pa.RecordBatch, mask: pa.BooleanArray) -> pa.RecordBatch:
    """The rows where the mask is True; words of a coded column that none of them has any more go as well."""
    rows = batch.filter(mask)
    for place, field_ in enumerate(rows.schema):
        if pa.types.is_dictionary(field_.type):
            coded = rows.column(place).cast(field_.type.value_type).dictionary_encode()
            indices = coded.indices.cast(field_.type.index_type)
            rows = rows.set_column(place, field_, pa.DictionaryArray.from_arrays(indices, coded.dictionary))
    return rows


@contextmanager
def writer_like(file: pq.ParquetFile, beside: Path) -> Iterator[pq.ParquetWriter]:
    """A writer of the same columns, types, metadata and compression."""
    with pq.ParquetWriter(beside, file.schema_arrow, compression=_compression(file)) as writer:
        yield writer


def _compression(file: pq.ParquetFile) -> dict[str, str] | str:
    if not file.metadata.num_row_groups:
        return "zstd"
    group = file.metadata.row_group(0)
    columns = [group.column(place) for place in range(group.num_columns)]
    return {column.path_in_schema: _codec(column.compression) for column in columns} or "zstd"


def _codec(name: str) -> str:
    return "none" if name == "UNCOMPRESSED" else name.lower()
