"""What was heard of each sound file, kept by the hash of its content, so that no file is analysed twice.

Belongs here: which files are new, analysing them side by side, the Parquet files it is kept in.
Does not: how anything is heard or measured, how content is hashed.

A store's folder holds one folder for each set of parameters and version of the analysis, named by their hash, so that
differing ones never mix. In it lie shards of at most SHARD_FILES files, each written beside its name and renamed when
whole: a run that is killed loses at most what it had of one shard. Failures are kept too: a corrupt file is named every
time, and read once.
"""

import dataclasses
import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.arrays import Ints, Progress, in_order, silent, worker_count
from models_ml.errors import InputError
from models_ml.landing.storage import remove_leftovers, replace_file
from models_ml.sound.attributes import Attributes, attributes_of
from models_ml.sound.decoding import UnusableSoundError, has_ffmpeg, read_excerpts
from models_ml.sound.equalising import SILENCE_LUFS
from models_ml.sound.hashes import SoundFile
from models_ml.sound.spectrograms import Bytes, SpectrogramParams, mel_power, to_bytes

# Raise it with any change to what decoding, spectrograms or attributes give: everything is then analysed anew.
ANALYSIS_VERSION = 1
SHARD_FILES = 64
OK, NO_DECODER, MISSING = "ok", "no_decoder", "missing"

_MEASURED: dict[str, pa.DataType] = {
    "duration_seconds": pa.float64(),
    "loudness_lufs": pa.float64(),
    "tempo_bpm": pa.float64(),
    "tempo_confidence": pa.float64(),
    "key": pa.int8(),
    "mode": pa.string(),
    "key_confidence": pa.float64(),
    "energy": pa.float64(),
    "brightness_hz": pa.float64(),
}
_KNOWN_BY = {"content_hash": pa.string(), "status": pa.string(), "message": pa.string()}
_SHARD_SCHEMA = pa.schema(_KNOWN_BY | _MEASURED | {"mel": pa.binary()})
TABLE_SCHEMA = pa.schema(_KNOWN_BY | {"path": pa.string()} | _MEASURED)

Row = dict[str, Any]


class SoundStore:
    """What was heard with these parameters, below `folder`. One run at a time writes there."""

    def __init__(self, folder: Path, params: SpectrogramParams) -> None:
        self._params = params
        self.location = folder / settings_hash(params)

    def analyse(self, files: Sequence[SoundFile], progress: Progress = silent, workers: int = 0) -> pa.Table:
        """Analyse what isn't yet, and tell of all: one row a content hash, sorted by it.

        Columns of TABLE_SCHEMA: path is the first of those with that content, status `ok` or an UnusableSoundError's
        reason, message what a person should read where it isn't ok; what could not be measured is null.
        workers: files decoded at once, 0: one a core; the rows and shards are the same for any.
        Files that can't be opened, or for which a decoder has appeared since, are tried again. Raises StorageError.
        """
        self.location.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self.location)
        asked = _first_of_each(files)
        known = self._stored(asked.keys(), progress)
        new = [asked[hash_] for hash_ in sorted(asked.keys() - known.keys())]
        for row in self._analyse_new(new, progress, worker_count(workers)):
            known[row["content_hash"]] = row
        rows = [_told(known[hash_], asked[hash_].path) for hash_ in sorted(asked)]
        return pa.Table.from_pylist(rows, TABLE_SCHEMA)

    def mels(self, content_hashes: Sequence[str]) -> Bytes:
        """(n, excerpts, mels, frames) uint8 of these files, in their order: 81 kB each by default.

        Raises InputError where one isn't in the store, or not ok.
        """
        found = np.empty((len(content_hashes), *self._params.shape), dtype=np.uint8)
        for positions, mels in self.mel_blocks(content_hashes):
            found[positions] = mels
        return found

    def mel_blocks(self, content_hashes: Sequence[str]) -> Iterator[tuple[Ints, Bytes]]:
        """(positions among those asked for, their mels) by shard: each is read once, and one is in memory at a time.

        The order of blocks is that of the shards, which depends on when files came; positions say where each belongs.
        """
        places: dict[str, list[int]] = {}
        for position, hash_ in enumerate(content_hashes):
            places.setdefault(hash_, []).append(position)
        for shard in self._shards():
            here = [hash_ for hash_ in _ok_hashes(shard) if hash_ in places]
            if here:
                yield self._block(shard, {hash_: places.pop(hash_) for hash_ in here})
        if places:
            hash_, positions = next(iter(places.items()))
            message = f"sound: {hash_} (number {positions[0]}) has no spectrogram in {self.location}"
            raise InputError(f"{message}; ask for files with status {OK} only")

    def _block(self, shard: Path, places: dict[str, list[int]]) -> tuple[Ints, Bytes]:
        positions, mels = [], []
        table = pq.read_table(shard, columns=["content_hash", "mel"])
        for hash_, mel in zip(*table.columns, strict=True):
            for position in places.get(hash_.as_py(), ()):
                positions.append(position)
                mels.append(np.frombuffer(mel.as_buffer(), dtype=np.uint8).reshape(self._params.shape))
        return np.array(positions, dtype=np.int64), np.stack(mels)

    def _shards(self) -> list[Path]:
        return sorted(path for path in self.location.glob("*.parquet") if not path.name.startswith("."))

    def _stored(self, wanted: Iterable[str], progress: Progress) -> dict[str, Row]:
        """What is kept of the files wanted, by content hash; nothing of those that a new decoder may read."""
        wanted = frozenset(wanted)
        found: dict[str, Row] = {}
        for shard in self._shards():
            for row in _rows_of(shard, progress):
                hash_, is_better = row["content_hash"], row["status"] != NO_DECODER
                if hash_ in wanted and (is_better or (hash_ not in found and not has_ffmpeg())):
                    found[hash_] = row
        return found

    def _analyse_new(self, files: Sequence[SoundFile], progress: Progress, workers: int) -> Iterator[Row]:
        rows = in_order(partial(analysed, params=self._params), files, workers)
        done = unusable = 0
        while shard := list(itertools.islice(rows, SHARD_FILES)):
            self._keep([row for row in shard if row["status"] != MISSING])
            done += len(shard)
            unusable += sum(row["status"] != OK for row in shard)
            progress(f"sound: {done:,} of {len(files):,} new files analysed, {unusable:,} of them unusable")
            yield from ({name: value for name, value in row.items() if name != "mel"} for row in shard)

    def _keep(self, rows: list[Row]) -> None:
        if rows:
            content = _as_parquet(pa.Table.from_pylist(rows, _SHARD_SCHEMA))
            replace_file(self.location / f"{hashlib.sha256(content).hexdigest()[:32]}.parquet", content)


def settings_hash(params: SpectrogramParams) -> str:
    """16 hex characters that differ wherever the parameters or the version of the analysis do."""
    settings = json.dumps([ANALYSIS_VERSION, dataclasses.asdict(params)], sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:16]


def analysed(file: SoundFile, params: SpectrogramParams) -> Row:
    """One row of a shard: what was heard, or why nothing was."""
    row: Row = dict.fromkeys(_SHARD_SCHEMA.names) | {"content_hash": file.content_hash}
    try:
        sound = read_excerpts(file.path, params.excerpts, params.excerpt_seconds, params.sample_rate)
        power = mel_power(sound.samples, params)
        if power.loudness_lufs <= SILENCE_LUFS:
            raise UnusableSoundError(file.path, "silent", f"nothing is louder than {SILENCE_LUFS:.0f} LUFS")
    except UnusableSoundError as error:
        return row | {"status": error.reason, "message": error.what}
    measured = _measured(attributes_of(sound.samples, power, params))
    mel = to_bytes(power.decibels)
    return row | measured | {"status": OK, "duration_seconds": sound.duration_seconds, "mel": mel}


def _measured(attributes: Attributes) -> Row:
    """The attributes, None for what could not be told."""
    row = dataclasses.asdict(attributes)
    if np.isnan(attributes.tempo_bpm):
        row["tempo_bpm"] = None
    if attributes.key < 0:
        row["key"] = row["mode"] = None
    return row


def _told(row: Row, path: Path) -> Row:
    """A stored row for the file that has this content now."""
    shown = os.fsencode(path).decode(errors="replace")
    return row | {"path": shown, "message": row["message"] and f"{shown}: {row['message']}"}


def _first_of_each(files: Iterable[SoundFile]) -> dict[str, SoundFile]:
    """Of each content the file whose path comes first."""
    first: dict[str, SoundFile] = {}
    for file in sorted(files, key=lambda file: (file.content_hash, os.fsencode(file.path))):
        first.setdefault(file.content_hash, file)
    return first


def _rows_of(shard: Path, progress: Progress) -> list[Row]:
    """All but the spectrograms; of a shard that the disk has spoilt nothing, and it goes, so as to be made anew."""
    try:
        table = pq.read_table(shard, columns=[name for name in _SHARD_SCHEMA.names if name != "mel"])
    except pa.ArrowInvalid as error:
        progress(f"sound: {shard} can't be read ({error}); its files are analysed again")
        shard.unlink()
        return []
    return list(table.to_pylist())


def _ok_hashes(shard: Path) -> list[str]:
    table = pq.read_table(shard, columns=["content_hash", "status"]).to_pylist()
    return [row["content_hash"] for row in table if row["status"] == OK]


def _as_parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", use_dictionary=["status", "mode"])
    return bytes(sink.getvalue().to_pybytes())
