"""Rows of CSV and NDJSON files as the bytes they are, numbered as the readers number them.

Belongs here: where a row begins and ends. Does not: what stands in it (models_ml/landing).
"""

import re
from collections.abc import Iterator
from typing import Any

CHUNK_BYTES = 4 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
# As pyarrow reads it: a quote opens a value at its beginning only, two stand for one inside, and what follows the
# closing one up to the comma belongs to the value.
_VALUE = rb'(?:"(?:[^"]++|"")*+"[^,\r\n]*+|[^",\r\n][^,\r\n]*+|)'
_CSV_ROW = re.compile(_VALUE + rb"(?:," + _VALUE + rb")*+(?:\r\n|\n|\r)")


def csv_rows(stream: Any) -> Iterator[tuple[int, bytes]]:
    """(number, bytes) of all a file consists of, in order: the header is 0; blank lines, which don't count, are -1."""
    number = -1
    for piece in _csv_pieces(stream):
        is_blank = not piece.removeprefix(_BOM).strip(b"\r\n")
        number += not is_blank
        yield -1 if is_blank else number, piece


def ndjson_rows(stream: Any) -> Iterator[tuple[int, bytes]]:
    """(line number from 1 on, bytes) of every line, blank ones too; what stands before the first is -1."""
    number, rest = 0, b""
    if (head := stream.read(len(_BOM))) == _BOM:
        yield -1, head
    else:
        rest = head
    while chunk := stream.read(CHUNK_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            number += 1
            yield number, line + b"\n"
    if rest:
        yield number + 1, rest


def _csv_pieces(stream: Any) -> Iterator[bytes]:
    head = stream.read(len(_BOM))
    pieces = _split(stream, b"" if head == _BOM else head)
    if head == _BOM:
        yield head + next(pieces, b"")
    yield from pieces


def _split(stream: Any, rest: bytes) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK_BYTES):
        rest += chunk
        start = 0
        while found := _CSV_ROW.match(rest, start):
            # A carriage return at the end of what was read may be half of a line's end.
            if found.end() == len(rest) and rest.endswith(b"\r"):
                break
            yield found[0]
            start = found.end()
        rest = rest[start:]
    while rest:
        last = _CSV_ROW.match(rest)
        end = last.end() if last else len(rest)
        yield rest[:end]
        rest = rest[end:]
