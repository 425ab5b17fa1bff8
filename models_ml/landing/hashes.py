"""Content hashes of landing files, remembered so that unchanged big files aren't read again.

Belongs here: hashing, and the cache of hashes beside the intake files.
Does not: anything that counts; losing the cache costs only time.
"""

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from models_ml.landing.storage import replace_file

HASH_CHARACTERS = 32
# A file changed this recently could change again within the clock's grain and keep its size and time.
SETTLED_SECONDS = 2.0
_CHUNK_BYTES = 4 * 1024 * 1024

CACHE_NAME = "_seen.json"


@dataclass(frozen=True)
class FileState:
    """What changes when a file does."""

    size_bytes: int
    modified_ns: int
    inode: int

    @staticmethod
    def of(path: Path) -> "FileState":
        """The state now. Raises OSError where the file is gone."""
        status = os.stat(path)
        return FileState(status.st_size, status.st_mtime_ns, status.st_ino)

    @property
    def is_settled(self) -> bool:
        """Whether the last change is long enough ago for the state to tell the next one."""
        return abs(time.time_ns() - self.modified_ns) >= SETTLED_SECONDS * 1e9


def content_hash(path: Path, salt: str = "") -> str:
    """First characters of the SHA-256 of `salt` and the bytes, in hex. Raises OSError."""
    digest = hashlib.sha256(salt.encode())
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()[:HASH_CHARACTERS]


class HashCache:
    """Hashes by landed path, good as long as the file's state is the same."""

    def __init__(self, intake: Path) -> None:
        self._location = intake / CACHE_NAME
        self._known = _load(self._location)
        self._used: dict[str, tuple[FileState, str]] = {}

    def get(self, path: str, state: FileState) -> str | None:
        """The hash of an unchanged file, None where it has to be read."""
        known = self._known.get(path)
        if known is None or known[0] != state:
            return None
        self._used[path] = known
        return known[1]

    def put(self, path: str, state: FileState, file_hash: str) -> None:
        """Remember a hash, unless the file changed a moment ago."""
        if state.is_settled:
            self._used[path] = (state, file_hash)

    def save(self) -> None:
        """Replace the cache by what this run has used; paths that are gone go."""
        if self._used != self._known:
            entries = {
                path: [state.size_bytes, state.modified_ns, state.inode, file_hash]
                for path, (state, file_hash) in sorted(self._used.items())
            }
            replace_file(self._location, json.dumps(entries).encode())


def _load(location: Path) -> dict[str, tuple[FileState, str]]:
    try:
        entries = json.loads(location.read_bytes())
        return {path: _entry(*entry) for path, entry in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _entry(size_bytes: int, modified_ns: int, inode: int, file_hash: str) -> tuple[FileState, str]:
    if len(file_hash) != HASH_CHARACTERS:
        raise ValueError(file_hash)
    return FileState(size_bytes, modified_ns, inode), file_hash
