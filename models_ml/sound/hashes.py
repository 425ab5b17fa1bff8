"""Content hashes of sound files, remembered so that unchanged ones aren't read again.

Belongs here: what a file's content is known by. Does not: decoding, what was heard.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.arrays import Progress, in_order, silent, worker_count
from models_ml.landing.hashes import FileState, content_hash
from models_ml.landing.storage import remove_leftovers, replace_file

HASHES_NAME = "_hashes.parquet"
_BETWEEN_SAVES = 1_000
_SCHEMA = pa.schema(
    {
        "path": pa.binary(),
        "size_bytes": pa.int64(),
        "modified_ns": pa.int64(),
        "inode": pa.uint64(),
        "content_hash": pa.string(),
    }
)
# By path, as the file system spells it: state when it was hashed, and hash.
_Known = dict[bytes, tuple[FileState, str]]


@dataclass(frozen=True)
class SoundFile:
    """A file of sound and the hash of its content."""

    path: Path
    content_hash: str


@dataclass(frozen=True)
class HashedFiles:
    """Files in the order asked for. missing: those that can't be opened."""

    files: tuple[SoundFile, ...]
    missing: tuple[Path, ...]


def hash_files(paths: Sequence[Path], folder: Path, progress: Progress = silent, workers: int = 0) -> HashedFiles:
    """Content hashes of files, remembered in `folder` while size, time of change and inode stay the same.

    Paths that aren't asked for are forgotten. A run that is killed has remembered all but its last thousand files.
    workers: files read at once, 0: one a core.
    """
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    known = _remembered(folder)
    used: _Known = {}
    files: list[SoundFile] = []
    missing: list[Path] = []
    hashed = 0
    states = in_order(partial(_state_and_hash, known), paths, worker_count(workers))
    for path, found in zip(paths, states, strict=True):
        if found is None:
            missing.append(path)
            continue
        files.append(SoundFile(path, found[1]))
        if found[0].is_settled:
            used[os.fsencode(path)] = found
        if known.get(os.fsencode(path)) != found:
            hashed += 1
            if hashed % _BETWEEN_SAVES == 0:
                _remember(folder, known | used)
                progress(f"sound: {hashed:,} new files hashed, {len(paths) - len(files) - len(missing):,} to look at")
    if used != known:
        _remember(folder, used)
    return HashedFiles(tuple(files), tuple(missing))


def _state_and_hash(known: _Known, path: Path) -> tuple[FileState, str] | None:
    """State now and hash, from the content only where the state is another; None where it can't be opened."""
    try:
        state = FileState.of(path)
        before = known.get(os.fsencode(path))
        return before if before and before[0] == state else (state, content_hash(path))
    except OSError:
        return None


def _remembered(folder: Path) -> _Known:
    """What earlier runs remembered; losing it costs only time."""
    try:
        columns = pq.read_table(folder / HASHES_NAME, schema=_SCHEMA).to_pydict()
    except (OSError, pa.ArrowException):
        return {}
    rows = zip(*columns.values(), strict=True)
    return {path: (FileState(size, modified, inode), hash_) for path, size, modified, inode, hash_ in rows}


def _remember(folder: Path, hashes: _Known) -> None:
    rows = [(path, s.size_bytes, s.modified_ns, s.inode, hash_) for path, (s, hash_) in sorted(hashes.items())]
    columns: list[Sequence[object]] = list(zip(*rows, strict=True)) if rows else [()] * len(_SCHEMA)
    arrays = [pa.array(values, field.type) for values, field in zip(columns, _SCHEMA, strict=True)]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA), sink, compression="zstd")
    replace_file(folder / HASHES_NAME, sink.getvalue().to_pybytes())
