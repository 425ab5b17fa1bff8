"""Writing intake files so that one either counts whole or not at all.

Belongs here: temporary names, syncing, replacing, and what a full disk says.
Does not: what is written.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from models_ml.errors import MondayMixError

_TEMPORARY_ENDING = ".tmp"


class StorageError(MondayMixError):
    """The disk refuses a write: full, read-only, not allowed."""


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A hidden path to write to; it becomes `target` when the block ends without an error.

    Killed at any moment, the old file or none stays under the target's name.
    Raises StorageError naming the target where the disk refuses.
    """
    beside = target.with_name(f".{target.name}{_TEMPORARY_ENDING}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        _sync(beside)
        os.replace(beside, target)
        _sync(target.parent)
    except OSError as error:
        raise StorageError(f"{target}: can't be written ({error.strerror or error}); see to the disk") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def replace_file(target: Path, content: bytes) -> None:
    """Write bytes under a name, whole or not at all."""
    with replacing(target) as beside:
        beside.write_bytes(content)


def remove_leftovers(folder: Path) -> None:
    """Delete what a killed run left unfinished. Only one run at a time writes here."""
    for leftover in folder.glob(f".*{_TEMPORARY_ENDING}"):
        leftover.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
