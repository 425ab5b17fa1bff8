"""The proof: looking through every byte, and every value, of files for the ids of those who were forgotten.

Belongs here: one file of any kind. Does not: which files there are, databases (dagster_project).

An id that can be nothing else ("telling") is looked for in the bytes of a file, in what it holds unpacked, and in every
text of a table. One that may be a word, a number or part of either is looked for where an id of a listener stands.
"""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.forgetting.people import LISTENER_COLUMNS, OWN_LIST, People, word_in_bytes
from models_ml.landing.files import COMPRESSIONS, open_bytes

_CHUNK_BYTES = 4 * 1024 * 1024
_ROWS = 65_536
_OWN_LIST_COLUMNS = ("context_id", "playlist_id")
UNKNOWN = "can't be read, so that nobody knows what it holds"
_NOTHING = re.compile(b"(?!)")


class Search:
    """Looks for the ids of some people."""

    def __init__(self, people: People) -> None:
        self.people = people
        self._telling = word_in_bytes(people.telling) if people.telling else _NOTHING
        # Texts of a table lie side by side, so that there a neighbour says nothing.
        self._loose = (
            re.compile(b"|".join(re.escape(one.encode()) for one in people.telling)) if people.telling else None
        )
        self._overlap = max((len(one.encode()) for one in people.telling), default=0) * 6 + 2
        self._own_list = re.compile(OWN_LIST.encode())
        self.bytes_searched = 0

    def found_in(self, path: Path, name: str) -> str | None:
        """Where in a file an id stands, in words; None where none does. name: its path as shown."""
        if self._telling.search(name.encode(errors="replace")):
            return "its name"
        ending = PurePosixPath(name).suffix.lower() if path.stat().st_size else ""
        try:
            if place := self._in_bytes(path, None):
                return place
            if ending in COMPRESSIONS and (place := self._in_bytes(path, COMPRESSIONS[ending])):
                return f"{place}, unpacked"
            return self._in_table(path) if ending == ".parquet" else None
        except (pa.ArrowException, OSError, EOFError):
            return UNKNOWN

    def _in_bytes(self, path: Path, compression: str | None) -> str | None:
        with open_bytes(path, compression) as stream:
            return self._in_stream(stream)

    def _in_stream(self, stream: Any) -> str | None:
        before, is_first = b"", True
        while True:
            chunk = stream.read(_CHUNK_BYTES)
            self.bytes_searched += len(chunk)
            held = before + chunk
            for found in self._telling.finditer(held):
                # At a seam the neighbour isn't seen: the next piece, or the one before, has the match whole.
                if (is_first or found.start() > 0) and (not chunk or found.end() < len(held)):
                    return "its bytes"
            if not chunk:
                return None
            is_first = is_first and len(held) <= self._overlap
            before = held[-self._overlap :]

    def _in_table(self, path: Path) -> str | None:
        with pq.ParquetFile(path) as file:
            names = [field.name for field in file.schema_arrow if _may_hold(field)]
            for batch in file.iter_batches(batch_size=_ROWS, columns=names) if names else ():
                for name in names:
                    if self._in_column(name, batch.column(name)):
                        return f"column {name}"
        return None

    def _in_column(self, name: str, values: pa.Array) -> bool:
        if name in LISTENER_COLUMNS and self._is_theirs(values):
            return True
        return any(self._in_texts(texts, name in _OWN_LIST_COLUMNS) for texts in _texts(values))

    def _is_theirs(self, values: pa.Array) -> bool:
        return bool(pc.any(self.people.owns(pa.record_batch({"user_id": values}))).as_py())

    def _in_texts(self, texts: pa.Array, may_be_lists: bool) -> bool:
        """Whether any of the texts has an id: first over all their bytes at once, then text by text."""
        if may_be_lists and pc.any(self.people.names_lists_of(texts)).as_py():
            return True
        held = texts.buffers()[2]
        if held is None or self._loose is None:
            return False
        self.bytes_searched += held.size
        if not self._loose.search(held):
            return False
        return any(self._telling.search(text.encode()) for text in texts.to_pylist() if text is not None)


def _may_hold(field: pa.Field) -> bool:
    is_text = "string" in str(field.type) or "binary" in str(field.type)
    return is_text or field.name in LISTENER_COLUMNS


def _texts(values: pa.Array) -> Iterator[pa.Array]:
    """The texts in a column, however deep."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        yield from _texts(values.dictionary)
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        yield values.cast(pa.string())
    elif pa.types.is_struct(kind):
        for place in range(kind.num_fields):
            yield from _texts(values.field(place))
    elif pa.types.is_map(kind):
        yield from _texts(values.keys)
        yield from _texts(values.items)
    elif pa.types.is_nested(kind):
        yield from _texts(pc.list_flatten(values))
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        yield from _texts(pa.array([None if one is None else one.decode("latin-1") for one in values.to_pylist()]))
