"""Landing files as such: what an ending means, opening one, and the error for one that can't be read.

Belongs here: endings, compression, which names count as files, errors of the disk and of formats.
Does not: columns and rows (readers), hashes and what was taken in (intake).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from models_ml.errors import InputError

FORMATS = {".parquet": "parquet", ".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson"}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
AUDIO_ENDINGS = frozenset({".wav", ".flac", ".ogg", ".mp3", ".m4a"})
UNFINISHED_ENDINGS = frozenset({".tmp", ".part"})


class UnreadableFileError(InputError):
    """One landing file can't be read; it is reported by name and the other files go on."""


@dataclass(frozen=True)
class FileFormat:
    """format: parquet, csv, ndjson or audio.  compression: gzip, zstd or None."""

    name: str
    compression: str | None = None


def format_of(path: PurePosixPath, dataset: str) -> FileFormat | None:
    """What the file's ending says, in any case of letters; None where the contract doesn't know it."""
    endings = [ending.lower() for ending in path.suffixes]
    if not endings:
        return None
    if dataset == "audio" and endings[-1] in AUDIO_ENDINGS:
        return FileFormat("audio")
    compression = COMPRESSIONS.get(endings[-1])
    if compression is not None:
        endings = endings[:-1]
    name = FORMATS.get(endings[-1]) if endings else None
    if name is None or (name == "parquet" and compression is not None):
        return None
    return FileFormat(name, compression)


def is_hidden(name: str) -> bool:
    """Names that say a file isn't meant to be read: hidden ones, and those still being written."""
    return name.startswith((".", "_")) or PurePosixPath(name).suffix.lower() in UNFINISHED_ENDINGS


def open_bytes(path: Path, compression: str | None) -> Any:
    """The decompressed bytes of a file as an Arrow input stream; a .gz may have several members."""
    return pa.input_stream(str(path), compression=compression)


@contextmanager
def reading(shown_as: str) -> Iterator[None]:
    """Turn what the disk or a format says about a broken file into one line that names the file."""
    try:
        yield
    except (pa.ArrowException, OSError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise UnreadableFileError(f"{shown_as}: the file can't be read ({reason}); land it again") from error
