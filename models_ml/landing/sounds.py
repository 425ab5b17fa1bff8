"""Sound files: a row each, those that are new in a run together in one intake file.

Belongs here: which sounds were taken in before and when, and writing the new ones.
Does not: opening sound, files that are tables (readers).

One intake file a sound would be thousands of small files: 4,000 took 22 s to write (7.8 s of a core) and 2.7 s
to read each time, on two busy cores; together they take 3.4 s (1.5 s of a core) and 0.03 s.
"""

import datetime as dt
import functools
import hashlib
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.errors import InputError
from models_ml.landing.batches import RawBatch, intake_batch
from models_ml.landing.contract import DATASETS
from models_ml.landing.hashes import HASH_CHARACTERS
from models_ml.landing.storage import replacing

SOUND_DATASET = "audio"
FIRST_SEEN_KEY = b"monday_mix.first_seen_at"
_NAME = "sounds-{}.parquet"


class TakenInSounds:
    """Sounds of the lake by content hash, which holds the path as well, and those that this run adds."""

    def __init__(self, intake: Path) -> None:
        """Read which sounds the lake has. Raises InputError naming a file that intake didn't write."""
        self._folder = intake / SOUND_DATASET
        self._first_seen = {
            file_hash: first_seen_at
            for location in self._folder.glob(_NAME.format("*"))
            for first_seen_at, hashes in [_written(location)]
            for file_hash in hashes
        }
        self._new: dict[str, str] = {}

    def first_seen_at(self, file_hash: str) -> dt.datetime | None:
        """When a sound was first taken in; None for one that wasn't."""
        return self._first_seen.get(file_hash)

    def add(self, path: str, file_hash: str) -> None:
        """A new sound; path: posix, below landing."""
        self._new[path] = file_hash

    def save(self, now: dt.datetime) -> None:
        """Write the new sounds as one intake file, named by their hashes, whole or not at all."""
        if not self._new:
            return
        paths = sorted(self._new)
        hashes = [self._new[path] for path in paths]
        name = hashlib.sha256("\n".join(hashes).encode()).hexdigest()[:HASH_CHARACTERS]
        table = _rows(paths, hashes).replace_schema_metadata({FIRST_SEEN_KEY: now.isoformat().encode()})
        with replacing(self._folder / _NAME.format(name)) as beside:
            pq.write_table(table, beside, compression="zstd", use_dictionary=False)


def _rows(paths: list[str], hashes: list[str]) -> pa.Table:
    """The one row that each sound stands for: its name is the track's id."""
    raw = RawBatch(
        row_numbers=pa.array([1] * len(paths), pa.int64()),
        columns={"track_id": pa.array([PurePosixPath(path).stem for path in paths]), "path": pa.array(paths)},
        extras=pa.nulls(len(paths), pa.string()),
    )
    batch = intake_batch(raw, DATASETS[SOUND_DATASET], "", f"landing/{SOUND_DATASET}")
    table = pa.Table.from_batches([batch])
    return table.set_column(0, table.schema.field(0), pa.array(hashes, pa.string()))


def _written(location: Path) -> tuple[dt.datetime, frozenset[str]]:
    try:
        metadata = pq.read_metadata(location).metadata or {}
        return dt.datetime.fromisoformat(metadata[FIRST_SEEN_KEY].decode()), _hashes(location)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(f"{location}: not written by intake; delete it, and its contents are taken in anew") from error


def sounds_file(folder: Path, file_hash: str) -> Path | None:
    """The file below the intake folder of sounds that has a content; None where none has."""
    return next((path for path in sorted(folder.glob(_NAME.format("*"))) if file_hash in _hashes(path)), None)


@functools.lru_cache(maxsize=1_024)
def _hashes(location: Path) -> frozenset[str]:
    """Content hashes of one file; its name is made from them, so that it never changes."""
    return frozenset(pq.read_table(location, columns=["_file_hash"]).column(0).to_pylist())
