"""What a home remembers of those it forgot: keyed hashes for good, and their ids for as long as forgetting takes.

Belongs here: the key, the hashes, the journal of what is under way. Does not: forgetting (forgetting.py).

`forgotten` holds a line each: `listener` or `playlist`, and the HMAC-SHA256 of the id under `forgotten.key`, which is
made at its first use and readable by its owner alone. Who has both can ask whether an id is among them, not list them.
"""

import json
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.home import Home
from models_ml.errors import InputError
from models_ml.forgetting.people import keyed_hash, recognised
from models_ml.landing.storage import replacing

KINDS = ("listener", "playlist")
_KEY_BYTES = 32
_OWNER_ONLY = 0o600
_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Forgotten:
    """The hashes of a home."""

    home: Home

    @property
    def _file(self) -> Path:
        return self.home.root / "forgotten"

    def hashes(self, kind: str) -> frozenset[str]:
        """Keyed hashes of listeners, or of playlists. Raises InputError naming a line that is neither."""
        if not self._file.exists():
            return frozenset()
        lines = self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        known = [self._parsed(number, line) for number, line in enumerate(lines, 1) if line.strip()]
        return frozenset(one for of, one in known if of == kind)

    def _parsed(self, number: int, line: str) -> tuple[str, str]:
        """Kind and hash. A line edited by hand that isn't both would stand for nobody, and they would come back."""
        words = line.split()
        if len(words) != 2 or words[0] not in KINDS or not _HASH.fullmatch(words[1]):
            raise InputError(
                f"{self._file}: line {number} is {line!r}, not `listener` or `playlist` and 64 hex digits; "
                f"mend it, or delete it whole, and whom it stood for is welcome again"
            )
        return words[0], words[1]

    def recognised(self, names: Iterable[str], kind: str) -> frozenset[str]:
        """Those of the names that were forgotten."""
        hashes = self.hashes(kind)
        return recognised(names, kind, self._key(), hashes) if hashes else frozenset()

    def remember(self, names: Iterable[str], kind: str) -> None:
        """Add the hashes of names; whole or not at all."""
        added = {keyed_hash(self._key(), kind, name) for name in names} - self.hashes(kind)
        if added:
            known = {of: self.hashes(of) | (added if of == kind else frozenset()) for of in KINDS}
            lines = [f"{of} {one}\n" for of in KINDS for one in sorted(known[of])]
            _write_for_owner(self._file, "".join(lines).encode())

    def _key(self) -> bytes:
        path = self.home.root / "forgotten.key"
        if not path.exists():
            if self._file.exists():
                raise InputError(f"{path}: gone, and {self._file.name} can't be read without it; bring it back")
            _write_for_owner(path, secrets.token_bytes(_KEY_BYTES).hex().encode())
        return bytes.fromhex(path.read_text(encoding="ascii"))


class Journal:
    """What of a forgetting is done, line by line, so that one that was killed goes on; deleted at its end.

    The only place that still names who is to be forgotten: readable by its owner alone.
    """

    def __init__(self, home: Home) -> None:
        """Read what is there; a last line that wasn't finished was never acted upon."""
        self._path = home.root / "forgetting.jsonl"
        self._lines: list[dict[str, Any]] = []
        if self._path.exists():
            whole = self._path.read_bytes().split(b"\n")[:-1]
            self._lines = [json.loads(line) for line in whole]

    @property
    def is_open(self) -> bool:
        """Whether a forgetting is under way."""
        return bool(self._lines)

    def begin(self, user_ids: frozenset[str], playlist_ids: frozenset[str] = frozenset()) -> None:
        """Write down, whole or not at all, who is to be forgotten, under a stamp of its own.

        playlist_ids: those that are known to be theirs although no file says so any more.
        """
        line = {
            "stamp": secrets.token_hex(16),
            "user_ids": sorted(user_ids),
            "known_playlist_ids": sorted(playlist_ids),
        }
        _write_for_owner(self._path, json.dumps(line).encode() + b"\n")
        self._lines = [line]

    def add(self, line: dict[str, Any]) -> None:
        """One more line, on the disk before this returns."""
        if line in self._lines:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, _OWNER_ONLY)
        with os.fdopen(descriptor, "r+b") as file:
            # What a killed process left of its last line goes.
            file.seek(self._path.read_bytes().rfind(b"\n") + 1)
            file.truncate()
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._lines.append(line)

    def close(self) -> None:
        """All is done."""
        self._path.unlink(missing_ok=True)
        self._lines = []

    @property
    def stamp(self) -> str:
        """Of this forgetting."""
        return str(self._lines[0]["stamp"])

    @property
    def user_ids(self) -> frozenset[str]:
        """Who is to be forgotten."""
        return frozenset(self._lines[0]["user_ids"])

    @property
    def known_playlist_ids(self) -> frozenset[str]:
        """Playlists of theirs that were known before."""
        return frozenset(self._lines[0].get("known_playlist_ids", ()))

    def all_of(self, name: str) -> list[Any]:
        """What the lines say under a name, in their order."""
        return [line[name] for line in self._lines if name in line]


def _write_for_owner(path: Path, content: bytes) -> None:
    with replacing(path) as beside:
        beside.touch(_OWNER_ONLY)
        beside.chmod(_OWNER_ONLY)
        beside.write_bytes(content)
