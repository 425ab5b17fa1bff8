"""What lies in the landing folder now.

Belongs here: walking the folders, and which dataset and format each file has.
Does not: opening files, hashes, intake.
"""

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from models_ml.landing.contract import DATASETS
from models_ml.landing.files import FileFormat, format_of, is_hidden

_ENDINGS = ".parquet, .csv, .ndjson, .jsonl or .json, the last four also as .gz or .zst"


@dataclass(frozen=True)
class LandingFile:
    """A file below landing.

    dataset: the folder it lies in, empty beside the folders.  path: posix, below landing.
    file_format: None where `error` says why it isn't read.
    """

    dataset: str
    path: str
    location: Path
    file_format: FileFormat | None
    error: str | None = None


def scan_landing(landing: Path) -> tuple[LandingFile, ...]:
    """Every file that isn't hidden or unfinished, sorted by its posix path; a missing folder has none."""
    found = {path.relative_to(landing).as_posix(): error for path, error in _walk(landing, frozenset())}
    return tuple(_landing_file(landing, path, error) for path, error in sorted(found.items()))


def _walk(folder: Path, inside: frozenset[tuple[int, int]]) -> Iterator[tuple[Path, str | None]]:
    """Files below a folder, links followed, and folders that can't be opened with the reason; `inside` are the folders
    on the way, so that none loops.
    """
    if not folder.is_dir():
        return
    status = folder.stat()
    here = (status.st_dev, status.st_ino)
    if here in inside:
        return
    try:
        with os.scandir(folder) as entries:
            names = [(entry.name, entry.is_dir()) for entry in entries if not is_hidden(entry.name)]
    except OSError as error:
        if not inside:  # landing itself
            raise
        yield folder, error.strerror or str(error)
        return
    for name, is_folder in names:
        if is_folder:
            yield from _walk(folder / name, inside | {here})
        else:
            yield folder / name, None


def _landing_file(landing: Path, path: str, closed: str | None = None) -> LandingFile:
    """closed: why the folder can't be opened, where it is one that can't."""
    parts = PurePosixPath(path).parts
    dataset = parts[0] if len(parts) > 1 else ""
    # A name that isn't UTF-8 can't stand in a table as it is.
    shown = os.fsencode(path).decode(errors="replace")
    file_format = format_of(PurePosixPath(path), dataset)
    error = _error(dataset, shown, file_format, is_utf8=shown == path)
    if closed is not None:
        error = f"landing/{shown}: the folder can't be opened ({closed}); make it readable, or move it away"
    return LandingFile(
        os.fsencode(dataset).decode(errors="replace"),
        shown,
        landing / path,
        None if error else file_format,
        error,
    )


def _error(dataset: str, path: str, file_format: FileFormat | None, is_utf8: bool) -> str | None:
    if not dataset:
        return f"landing/{path}: the file lies in no dataset's folder; put it in landing/<dataset>/"
    if dataset not in DATASETS:
        near = difflib.get_close_matches(dataset, DATASETS, n=1)
        hint = f"is it {near[0]}?" if near else f"use one of {', '.join(DATASETS)}"
        return f"landing/{path}: {dataset} is no dataset of the contract; {hint}"
    if not is_utf8:
        return f"landing/{path}: the name of the file is not UTF-8; rename it"
    if file_format is None:
        sound = ", or sound as .wav, .flac, .ogg, .mp3 or .m4a" if dataset == "audio" else ""
        return f"landing/{path}: the ending says no format of the contract; land {_ENDINGS}{sound}"
    return None
