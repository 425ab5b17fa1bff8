"""Intake: every landing file's content read once into the lake, and a report of what lies in landing now.

Belongs here: which contents are new, taking them in, and when each was first seen.
Does not: reading formats (readers), judging rows, choosing which files a week sees.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.arrays import in_order, worker_count
from models_ml.errors import InputError
from models_ml.landing.batches import intake_schema
from models_ml.landing.contract import DATASETS, LAST_ROW_HOLDS, Dataset
from models_ml.landing.files import FileFormat, UnreadableFileError, reading
from models_ml.landing.hashes import FileState, HashCache, content_hash
from models_ml.landing.readers import read_landing_file
from models_ml.landing.report import IntakeFile, IntakeReport
from models_ml.landing.scan import LandingFile, scan_landing
from models_ml.landing.sounds import FIRST_SEEN_KEY, SOUND_DATASET, TakenInSounds, sounds_file
from models_ml.landing.storage import remove_leftovers, replacing

EMPTY_NAME = "_empty"
# In the footer of a content that is whole: it counts the rows that are there.
ROW_COUNT_KEY = b"monday_mix.row_count"
_BIG_FILE_BYTES = 50_000_000
_FILES_A_LINE = 200
# Columns whose values come again, so that a dictionary pays; and those of that kind that hardly ever do.
_REPEATED_KINDS = ("text", "boolean", "date")
_ONCE_EACH = frozenset({"event_id", "document_id", "body", "path"})


@dataclass(frozen=True)
class _TakenIn:
    """What an intake file says about its content.

    is_whole: False where rows were taken out under the content's hash, since its landing file was gone.
    """

    first_seen_at: dt.datetime
    row_count: int
    is_whole: bool = True


def _say_nothing(line: str) -> None:
    """The default progress."""


def take_in(
    landing: Path, intake: Path, now: dt.datetime, progress: Callable[[str], None] = _say_nothing
) -> IntakeReport:
    """Read each new content in landing once into `intake/<dataset>/<hash>.parquet`, new sounds together into
    `intake/audio/sounds-<hash>.parquet`; report every file.

    now: the moment new contents are first seen, UTC where it has no zone.
    Files that can't be read are reported and tried again the next time. Contents taken in before are
    not read again, whatever their path, unless rows were taken out of what was: then they are in again, first seen
    when they were. Safe to kill: a file counts whole or not at all.
    Raises InputError where a required column is missing or a name comes twice.
    """
    ensure_empty_intake(intake)
    for name in DATASETS:
        remove_leftovers(intake / name)
    run = _Run(intake, _in_utc(now), HashCache(intake), TakenInSounds(intake), progress)
    found = scan_landing(landing)
    numbered = [(file, position, len(found)) for position, file in enumerate(found, 1)]
    files = tuple(in_order(lambda one: run.take_in_file(*one), numbered, worker_count(0)))
    run.sounds.save(run.now)
    run.hashes.save()
    return IntakeReport(with_duplicates(files))


def take_in_again(intake: Path, file: LandingFile, first_seen_at: dt.datetime) -> IntakeFile:
    """Read one landing file, written anew, that was first seen at an earlier moment; its line of the report.

    file: `location` may be beside the file that it is going to be.
    """
    run = _Run(intake, _in_utc(first_seen_at), HashCache(intake), TakenInSounds(intake), _say_nothing)
    return run.take_in_file(file, 1, 1)


def ensure_empty_intake(intake: Path) -> None:
    """Give every dataset a typed intake file without rows, so that globs always match one."""
    for dataset in DATASETS.values():
        target = intake_path(intake, dataset.name, EMPTY_NAME)
        schema = intake_schema(dataset)
        if not target.exists() or pq.read_schema(target) != schema:
            with replacing(target) as beside:
                pq.write_table(schema.empty_table(), beside, compression="zstd")


def intake_path(intake: Path, dataset: str, file_hash: str) -> Path:
    """Where the rows of a content are, or would be."""
    own = intake / dataset / f"{file_hash}.parquet"
    if dataset != SOUND_DATASET or own.exists():
        return own
    return sounds_file(intake / dataset, file_hash) or own


def landed_hash(location: Path, path: str, file_format: FileFormat | None) -> str:
    """The hash a landing file is known by.  path: posix, below landing.  Raises OSError."""
    # The row of a sound file is its path: the same sound under two tracks' names is two rows.
    is_sound = file_format is not None and file_format.name == "audio"
    return content_hash(location, salt=f"{path}\n" if is_sound else "")


def _in_utc(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def with_duplicates(files: tuple[IntakeFile, ...]) -> tuple[IntakeFile, ...]:
    """The files, each copy of a content naming the one that is read: the first by path, or, where the last row about
    something holds, the last.
    """
    read: dict[tuple[str, str | None], str] = {}
    for file in files:
        if file.error is None and (file.dataset in LAST_ROW_HOLDS or (file.dataset, file.content_hash) not in read):
            read[file.dataset, file.content_hash] = file.path
    return tuple(
        replace(file, duplicate_of=path)
        if file.error is None and (path := read[file.dataset, file.content_hash]) != file.path
        else file
        for file in files
    )


@dataclass(frozen=True)
class _Run:
    """One call of take_in."""

    intake: Path
    now: dt.datetime
    hashes: HashCache
    sounds: TakenInSounds
    progress: Callable[[str], None]
    turns: dict[tuple[str, str], Lock] = field(default_factory=dict)

    def _turn(self, dataset: str, file_hash: str) -> Lock:
        return self.turns.setdefault((dataset, file_hash), Lock())

    def take_in_file(self, file: LandingFile, position: int, count: int) -> IntakeFile:
        """The file's line of the report, its content in the lake."""
        if position % _FILES_A_LINE == 0:
            self.progress(f"intake: {position} of {count} files")
        if file.file_format is None:
            return self._failed(file, file.error or "")
        try:
            with reading(f"landing/{file.path}"):
                state = FileState.of(file.location)
            remembered = self.hashes.get(file.path, state)
            file_hash = remembered or self._hash(file, state)
            taken_in = self._known(file, file_hash)
            if taken_in is None or not taken_in.is_whole:
                # What was remembered may be the hash of bytes that are gone.
                file_hash = self._hash(file, state) if remembered else file_hash
                with self._turn(file.dataset, file_hash):  # two files of one content are read once
                    taken_in = self._whole(file, file.file_format, file_hash, state)
        except UnreadableFileError as error:
            return self._failed(file, str(error))
        return IntakeFile(
            dataset=file.dataset,
            path=file.path,
            content_hash=file_hash,
            size_bytes=state.size_bytes,
            row_count=taken_in.row_count,
            first_seen_at=taken_in.first_seen_at,
        )

    def _hash(self, file: LandingFile, state: FileState) -> str:
        if state.size_bytes >= _BIG_FILE_BYTES:
            self.progress(f"intake: reading {file.path} ({state.size_bytes / 1e6:.0f} MB)")
        with reading(f"landing/{file.path}"):
            file_hash = landed_hash(file.location, file.path, file.file_format)
        _require_unchanged(file, state)
        self.hashes.put(file.path, state, file_hash)
        return file_hash

    def _whole(self, file: LandingFile, file_format: FileFormat, file_hash: str, state: FileState) -> _TakenIn:
        """The content, read where it isn't known, or not all of it is there."""
        known = self._known(file, file_hash)
        if known and known.is_whole:
            return known
        return self._read(file, file_format, file_hash, state, known.first_seen_at if known else self.now)

    def _known(self, file: LandingFile, file_hash: str) -> _TakenIn | None:
        """What is known of a content taken in before."""
        if _is_sound(file) and (first_seen_at := self.sounds.first_seen_at(file_hash)):
            return _TakenIn(first_seen_at, 1)
        location = self.intake / file.dataset / f"{file_hash}.parquet"
        if not location.exists():
            return None
        try:
            footer = pq.read_metadata(location)
            first_seen_at = dt.datetime.fromisoformat(footer.metadata[FIRST_SEEN_KEY].decode())
            # A sound is nobody's row: nothing is ever taken out of it.
            is_whole = _is_sound(file) or int(footer.metadata.get(ROW_COUNT_KEY, -1)) == footer.num_rows
        except (pa.ArrowException, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{location}: not written by intake; delete it, and the content is taken in anew"
            ) from error
        return _TakenIn(first_seen_at, footer.num_rows, is_whole)

    def _read(
        self, file: LandingFile, file_format: FileFormat, file_hash: str, state: FileState, first_seen_at: dt.datetime
    ) -> _TakenIn:
        """Take a content in. Nothing is left of a file that breaks midway or changes meanwhile."""
        if _is_sound(file):
            self.sounds.add(file.path, file_hash)
            return _TakenIn(self.now, 1)
        dataset = DATASETS[file.dataset]
        row_count = 0
        with replacing(intake_path(self.intake, file.dataset, file_hash)) as beside:
            with _writer(beside, dataset) as writer:
                for batch in read_landing_file(file.location, file_format, dataset, file_hash, file.path):
                    row_count += batch.num_rows
                    if batch.num_rows:
                        writer.write_batch(batch)
                writer.add_key_value_metadata(
                    {FIRST_SEEN_KEY: first_seen_at.isoformat(), ROW_COUNT_KEY: str(row_count)}
                )
            _require_unchanged(file, state)
        return _TakenIn(first_seen_at, row_count)

    def _failed(self, file: LandingFile, error: str) -> IntakeFile:
        try:
            size_bytes = FileState.of(file.location).size_bytes
        except OSError:
            size_bytes = 0
        return IntakeFile(file.dataset, file.path, None, size_bytes, 0, self.now, error)


def _writer(path: Path, dataset: Dataset) -> pq.ParquetWriter:
    """A writer of intake files. Dictionaries only where values come again: with one tried for every column, and bounds
    that nobody reads, writing takes twice as long and the file is larger.
    """
    repeated = [column.name for column in dataset.columns if column.kind in _REPEATED_KINDS]
    return pq.ParquetWriter(
        path,
        intake_schema(dataset),
        compression="zstd",
        use_dictionary=["_file_hash", "_parse_error", "_extras", *(set(repeated) - _ONCE_EACH)],
        write_statistics=False,
    )


def _is_sound(file: LandingFile) -> bool:
    return file.file_format is not None and file.file_format.name == "audio"


def _require_unchanged(file: LandingFile, state: FileState) -> None:
    with reading(f"landing/{file.path}"):
        now = FileState.of(file.location)
    if now != state:
        raise UnreadableFileError(f"landing/{file.path}: changed while it was read; it is taken in next time")
