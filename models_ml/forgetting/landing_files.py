"""Landing files and their intake, without what is a listener's.

Belongs here: which rows of a taken-in file are theirs, and the file written again without them, all else byte for byte
(Parquet: value for value). Does not: which files there are, replacing one (dagster_project), reading formats.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.arrays import Ints
from models_ml.forgetting.people import LISTENER_COLUMNS, PLAYLIST_COLUMN, People, distinct, owners_of_lists
from models_ml.forgetting.tables import kept, writer_like
from models_ml.forgetting.text_rows import csv_rows, ndjson_rows
from models_ml.landing.files import FileFormat, open_bytes
from models_ml.landing.intake import ROW_COUNT_KEY
from models_ml.landing.parquet_reader import BATCH_ROWS

_MALFORMED = ("_parse_error", "_extras")
_LIST_NAMED = "context_id"


@dataclass(frozen=True)
class Theirs:
    """What of a file is theirs.

    rows: numbers of their rows, ascending.  row_count: rows of the file.  names_lists: whether rows of others name a
    list of theirs.
    """

    rows: Ints
    row_count: int
    names_lists: bool

    @property
    def rows_left(self) -> int:
        """Rows of others."""
        return self.row_count - len(self.rows)

    def __bool__(self) -> bool:
        return bool(len(self.rows)) or self.names_lists


def theirs_in(intake_file: Path, people: People) -> Theirs:
    """What of a taken-in file is theirs."""
    rows, names_lists = [np.empty(0, dtype=np.int64)], False
    with pq.ParquetFile(intake_file) as file:
        for batch in _batches(file, ("_row", *_MALFORMED, *LISTENER_COLUMNS, PLAYLIST_COLUMN, _LIST_NAMED)):
            found = pc.or_(people.owns(batch), _malformed(batch, people))
            rows.append(batch.column("_row").filter(found).to_numpy())
            if not names_lists and _LIST_NAMED in batch.schema.names:
                others = batch.column(_LIST_NAMED).filter(pc.invert(found))
                names_lists = pc.any(people.names_lists_of(others)).as_py() or False
        return Theirs(np.concatenate(rows), file.metadata.num_rows, names_lists)


def people_in(intake_file: Path) -> tuple[set[str], set[str]]:
    """Ids of the listeners, and of the playlists, that a taken-in file names; a list of ours names its listener."""
    listeners: set[str] = set()
    playlists: set[str] = set()
    with pq.ParquetFile(intake_file) as file:
        for batch in _batches(file, (*LISTENER_COLUMNS, PLAYLIST_COLUMN, _LIST_NAMED)):
            for name in batch.schema.names:
                found = (owners_of_lists if name == _LIST_NAMED else distinct)(batch.column(name))
                (playlists if name == PLAYLIST_COLUMN else listeners).update(found)
    return listeners, playlists


def owners_in(intake_file: Path, user_ids: frozenset[str]) -> tuple[set[str], set[str]]:
    """Playlists of a taken-in file that these listeners own, and those that someone else does."""
    theirs: set[str] = set()
    of_others: set[str] = set()
    people = People(user_ids)
    with pq.ParquetFile(intake_file) as file:
        for batch in _batches(file, (PLAYLIST_COLUMN, "owner_id")):
            owned = people.owns(batch)
            has_owner = pc.fill_null(pc.not_equal(pc.utf8_trim(batch.column("owner_id"), characters=" "), ""), False)
            playlists = batch.column(PLAYLIST_COLUMN)
            theirs |= distinct(playlists.filter(owned))
            of_others |= distinct(playlists.filter(pc.and_not(has_owner, owned)))
    return theirs, of_others


def _batches(file: pq.ParquetFile, wanted: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    columns = [name for name in wanted if name in file.schema_arrow.names]
    yield from file.iter_batches(batch_size=BATCH_ROWS, columns=columns)


def _malformed(batch: pa.RecordBatch, people: People) -> pa.BooleanArray:
    """(n,) True for rows that couldn't be parsed and have an id of theirs in what they are."""
    error, raw = (batch.column(name) for name in _MALFORMED)
    if error.null_count == batch.num_rows:
        return pa.repeat(pa.scalar(False), batch.num_rows)
    return people.named_in(pc.if_else(error.is_valid(), raw, pa.scalar(None, pa.string())))


def write_without(path: Path, file_format: FileFormat, theirs: Theirs, people: People, beside: Path) -> None:
    """A landing file without their rows, written beside; ids of their lists in rows of others cut."""
    if file_format.name == "parquet":
        _write_parquet(path, theirs, people, beside)
        return
    split = csv_rows if file_format.name == "csv" else ndjson_rows
    gone = set(theirs.rows.tolist())
    with (
        open_bytes(path, file_format.compression) as stream,
        pa.output_stream(str(beside), compression=file_format.compression) as left,
    ):
        for number, row in split(stream):
            if number not in gone:
                left.write(people.own_list.sub(rb"\1", row) if theirs.names_lists else row)


def _write_parquet(path: Path, theirs: Theirs, people: People, beside: Path) -> None:
    first = 1
    with pq.ParquetFile(path) as file, writer_like(file, beside) as writer:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            others = ~np.isin(np.arange(first, first + batch.num_rows), theirs.rows)
            first += batch.num_rows
            rows = kept(batch, pa.array(others))
            if rows.num_rows:
                writer.write_batch(without_lists(rows, people) if theirs.names_lists else rows)


def without_lists(rows: pa.RecordBatch, people: People) -> pa.RecordBatch:
    """The rows, ids of their lists cut wherever a column of text holds one."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            cut = people.without_lists(rows.column(place).cast(pa.string()))
            rows = rows.set_column(place, field, cut.cast(field.type))
        elif pa.types.is_dictionary(field.type) and pa.types.is_string(field.type.value_type):
            coded = rows.column(place)
            words = people.without_lists(coded.dictionary)
            rows = rows.set_column(place, field, pa.DictionaryArray.from_arrays(coded.indices, words))
    return rows


def filter_intake(intake_file: Path, people: People, beside: Path) -> int:
    """A taken-in file whose landing file is gone, without what is theirs; hash and row numbers stay. Rows left.

    It isn't said to be whole any more: should its landing file come back, that is read anew.
    """
    theirs, left = theirs_in(intake_file, people), 0
    with pq.ParquetFile(intake_file) as file, writer_like(file, beside) as writer:
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            rows = batch.filter(pa.array(~np.isin(batch.column("_row").to_numpy(), theirs.rows)))
            left += rows.num_rows
            if rows.num_rows:
                writer.write_batch(without_lists(rows, people))
        writer.add_key_value_metadata(_own_metadata(file))
    return left


def _own_metadata(file: pq.ParquetFile) -> dict[str, str]:
    """What intake said in the footer of a content, beside the schema, but that it is whole."""
    said = (file.metadata.metadata or {}).items()
    return {
        key.decode(): value.decode() for key, value in said if key.startswith(b"monday_mix.") and key != ROW_COUNT_KEY
    }
