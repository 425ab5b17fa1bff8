"""JSON of any size in blocks of parsed objects: one object a line, or one array of objects.

Belongs here: finding where objects end without holding the file, and counting what doesn't parse.
Does not: what the objects mean, files and compression (sources.py).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from models_ml.errors import InputError
from models_ml.importers.sources import CHUNK_BYTES, ByteStream

# Larger objects than this are no rows: the file has another shape, and would end up in memory whole.
LARGEST_OBJECT_BYTES = 64 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_BETWEEN = b" \t\r\n,"
_NEXT_OBJECT = re.compile(rb"\}\s*,\s*\{")
_LAST_OBJECTS_BYTES = 64 * 1024
_BACKSLASH = ord("\\")
_OPENING, _CLOSING, _QUOTE = 1, 2, 3
_MARKS = bytes(
    _OPENING if c in b"{[" else _CLOSING if c in b"}]" else _QUOTE if c == ord('"') else 0 for c in range(256)
)


@dataclass(frozen=True)
class JsonBlock:
    """Parsed values in the order of the file, and how many more didn't parse."""

    values: list[Any]
    unreadable: int = 0


def line_blocks(stream: ByteStream) -> Iterator[JsonBlock]:
    """Values of JSON lines, some megabytes at a time; blank lines hold none.

    Raises InputError where a line is so long that the file can't be one of lines.
    """
    rest = [stream.read(CHUNK_BYTES).removeprefix(_BOM)]
    while chunk := stream.read(CHUNK_BYTES):
        if sum(map(len, rest)) > LARGEST_OBJECT_BYTES:
            raise InputError(f"{stream.shown_as}: no line ends within {LARGEST_OBJECT_BYTES >> 20} MiB; expected lines")
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            yield _parsed(b"".join([*rest, head]).split(b"\n"))
            rest = []
        rest.append(tail)
    last = b"".join(rest).removesuffix(b"\n")
    if last:
        yield _parsed(last.split(b"\n"))


def _parsed(texts: Sequence[bytes]) -> JsonBlock:
    try:
        return JsonBlock([orjson.loads(text) for text in texts])
    except orjson.JSONDecodeError:
        return _parsed_one_by_one(texts)


def _parsed_one_by_one(texts: Sequence[bytes]) -> JsonBlock:
    values, unreadable = [], 0
    for text in texts:
        if not text.strip(_BETWEEN):
            continue
        try:
            values.append(orjson.loads(text))
        except orjson.JSONDecodeError:
            unreadable += 1
    return JsonBlock(values, unreadable)


def array_blocks(stream: ByteStream, shown_as: str, expected: str, key: str | None = None) -> Iterator[JsonBlock]:
    """Objects of the array that the file is, or that stands under `key` in the object that it is.

    Raises InputError where there is no such array, where it doesn't end, or where an object in it doesn't.
    """
    buffer = _after_bracket(stream, shown_as, expected, key)
    size, is_flat = len(buffer), key is None
    while True:
        guessed = _parsed_at_once(buffer[: _likely_end(buffer)]) if is_flat else None
        if guessed is not None:
            yield guessed
            buffer = buffer[_likely_end(buffer) :]
        else:
            is_flat = False
            ends, closing = _ends_of_objects(buffer)
            if len(ends):
                yield _objects(buffer, ends)
            last = int(ends[-1]) if len(ends) else 0
            if closing is not None:
                if buffer[last:closing].strip(_BETWEEN):
                    yield JsonBlock([], unreadable=1)  # what stands after the last object is none
                return
            buffer = buffer[last:]
        # An object longer than what was read doubles it, so that none is looked through many times.
        chunk = _more(stream, len(buffer), shown_as, expected)
        if chunk:
            size += len(chunk)
            buffer += chunk
        elif is_flat:
            is_flat = False
        else:
            raise InputError(f"{shown_as}: ends in the middle, after {size:,} bytes; download or copy it again")


def _more(stream: ByteStream, held: int, shown_as: str, expected: str) -> bytes:
    if held > LARGEST_OBJECT_BYTES:
        raise InputError(f"{shown_as}: no object ends within {LARGEST_OBJECT_BYTES >> 20} MiB; expected {expected}")
    return stream.read(max(CHUNK_BYTES, held))


def _likely_end(buffer: bytes) -> int:
    """After the last brace that looks like the end of an object which another follows; 0 where none does."""
    window = max(0, len(buffer) - _LAST_OBJECTS_BYTES)
    ends = [found.start() + 1 for found in _NEXT_OBJECT.finditer(buffer, window)]
    return ends[-1] if ends else 0


def _parsed_at_once(objects: bytes) -> JsonBlock | None:
    """Objects up to a likely end; None where it was none. Cut in a string or an inner object, nothing would parse."""
    try:
        values = orjson.loads(b"[" + objects.lstrip(_BETWEEN) + b"]")
    except orjson.JSONDecodeError:
        return None
    return JsonBlock(values) if values else None


def _after_bracket(stream: ByteStream, shown_as: str, expected: str, key: str | None) -> bytes:
    head = stream.read(CHUNK_BYTES).removeprefix(_BOM)
    opening = rb"\s*\[" if key is None else rb'\s*\{.*?"' + key.encode() + rb'"\s*:\s*\['
    found = re.match(opening, head, re.DOTALL)
    if found is None:
        raise InputError(f"{shown_as}: expected {expected}; it begins with {head[:40].decode(errors='replace')!r}")
    return head[found.end() :]


def _ends_of_objects(buffer: bytes) -> tuple[npt.NDArray[np.int64], int | None]:
    """Positions after each object that is whole, in bytes that begin between two of them; and where the array ends.

    The places of brackets and quotes are found at once, which is as fast as memory; only they are counted through.
    """
    content = np.frombuffer(buffer, dtype=np.uint8)
    marks = np.frombuffer(buffer.translate(_MARKS), dtype=np.int8)
    places = np.flatnonzero(marks != 0)
    marks = marks[places]
    is_quote = marks == _QUOTE
    is_quote[is_quote] = ~_is_escaped(content, places[is_quote])
    # Without the quotes themselves and the brackets between them.
    is_bracket = (marks != _QUOTE) & ((np.cumsum(is_quote, dtype=np.int32) & 1) == 0)
    places, closes = places[is_bracket], marks[is_bracket] == _CLOSING
    depth = np.cumsum(1 - 2 * closes.astype(np.int32))
    beyond = np.flatnonzero(depth < 0)
    stop = int(beyond[0]) if len(beyond) else len(depth)
    closing = int(places[stop]) if stop < len(depth) else None
    return places[:stop][(depth[:stop] == 0) & closes[:stop]] + 1, closing


def _is_escaped(content: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """(quotes,) True where an odd number of backslashes stands before the quote."""
    escaped = np.zeros(len(quotes), dtype=bool)
    suspects = np.flatnonzero((quotes > 0) & (content[quotes - 1] == _BACKSLASH))
    for suspect in suspects.tolist():
        start = int(quotes[suspect])
        before = start - 1
        while before >= 0 and content[before] == _BACKSLASH:
            before -= 1
        escaped[suspect] = (start - 1 - before) % 2 == 1
    return escaped


def _objects(buffer: bytes, ends: npt.NDArray[np.int64]) -> JsonBlock:
    try:
        values = orjson.loads(b"[" + buffer[: ends[-1]].lstrip(_BETWEEN) + b"]")
        return JsonBlock(values)
    except orjson.JSONDecodeError:
        starts = [0, *ends[:-1].tolist()]
        return _parsed_one_by_one(
            [buffer[start:end].lstrip(_BETWEEN) for start, end in zip(starts, ends.tolist(), strict=True)]
        )
