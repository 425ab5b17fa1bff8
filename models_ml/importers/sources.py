"""Opening what was downloaded: a file, a folder, a zip, a tar, each with compressed files in it, as byte streams.

Belongs here: finding the files of a kind, decompressing as they are read, naming a file that breaks, and a key by which
the same download is known again. Does not: what the bytes mean.
"""

import fnmatch
import hashlib
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyarrow as pa

from models_ml.errors import InputError

CHUNK_BYTES = 4 * 1024 * 1024
PEEK_BYTES = 64 * 1024
KEY_CHARACTERS = 16
_KEY_SAMPLE_BYTES = 64 * 1024
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
_TAR_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.zst")
_BROKEN = (
    OSError,  # gzip's own errors too
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    pa.ArrowException,
    RuntimeError,  # a zip with a password, or with a compression that zipfile doesn't know
)


@dataclass(frozen=True)
class Member:
    """One file to read, alone or in an archive.

    shown_as: its name for people, after that of its archive.  opener: its bytes, decompressed; of a tar only once.
    path: where it lies, None in an archive.
    """

    shown_as: str
    name: PurePosixPath
    opener: Callable[[], IO[bytes]]
    path: Path | None = None

    @contextmanager
    def open(self) -> Iterator["ByteStream"]:
        """Its bytes. Raises InputError, here and while reading, that names the file."""
        with _naming(self.shown_as):
            opened = self.opener()
        with ByteStream(opened, self.shown_as) as stream:
            yield stream


class ByteStream(io.RawIOBase):
    """Bytes of a member; whatever breaks while reading becomes one line that names it."""

    def __init__(self, opened: IO[bytes], shown_as: str) -> None:
        super().__init__()
        self._opened = opened
        self._ahead = b""
        self.shown_as = shown_as

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """As many bytes as asked for, fewer only at the end: blocks don't depend on where the bytes lie."""
        if not self._ahead:
            return self._read(size)
        if 0 <= size <= len(self._ahead):
            taken, self._ahead = self._ahead[:size], self._ahead[size:]
            return taken
        ahead, self._ahead = self._ahead, b""
        return ahead + self._read(size - len(ahead) if size >= 0 else size)

    def peek(self, size: int = PEEK_BYTES) -> bytes:
        """The next bytes, to see what it is; they stay to be read. A tar can't go back to open its member again."""
        if len(self._ahead) < size:
            self._ahead += self._read(size - len(self._ahead))
        return self._ahead[:size]

    def _read(self, size: int) -> bytes:
        with _naming(self.shown_as):
            parts = [self._opened.read(size)]
            while parts[-1] and (missing := size - sum(map(len, parts))) > 0:
                parts.append(self._opened.read(missing))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Close the file below too."""
        if not self.closed:
            self._opened.close()
        super().close()


@contextmanager
def _naming(shown_as: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{shown_as}: can't be read ({reason}); download or copy it again") from error


class Kind:
    """Which files of a folder or an archive are meant, by their names without .gz and .zst."""

    def __init__(self, patterns: Sequence[str], besides: Sequence[str] = ()) -> None:
        self._patterns = [pattern.lower() for pattern in patterns]
        self._besides = [name.lower() for name in besides]

    def has(self, name: PurePosixPath) -> bool:
        """Whether the file is one of them."""
        plain = (name.stem if name.suffix.lower() in _COMPRESSIONS else name.name).lower()
        if name.name.startswith(".") or "__MACOSX" in name.parts or plain in self._besides:
            return False
        return any(fnmatch.fnmatchcase(plain, pattern) for pattern in self._patterns)


def members(paths: Sequence[Path], kind: Kind, ignored: list[str]) -> Iterator[Member]:
    """Files of the kind, in the order of their names; a file that is named itself is one whatever its name.

    ignored: takes the names of the files that are left.
    Raises InputError where a path isn't there or an archive can't be read.
    """
    for path in paths:
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*")) if file.is_file()]
            ignored.extend(str(file) for file in found if not kind.has(_below(file, path)))
            yield from (_member(file) for file in found if kind.has(_below(file, path)))
        elif not path.exists():
            raise InputError(f"{path}: there is no such file or folder")
        elif path.name.lower().endswith(_TAR_ENDINGS):
            yield from _in_tar(path, kind, ignored)
        elif zipfile.is_zipfile(path) or path.suffix.lower() == ".zip":
            yield from _in_zip(path, kind, ignored)
        else:
            yield _member(path)


def _below(file: Path, folder: Path) -> PurePosixPath:
    return PurePosixPath(file.relative_to(folder).as_posix())


def _member(path: Path) -> Member:
    return Member(str(path), PurePosixPath(path.name), lambda: _decompressed(open(path, "rb"), path.name), path)


def _in_zip(path: Path, kind: Kind, ignored: list[str]) -> Iterator[Member]:
    with _naming(str(path)):
        archive = zipfile.ZipFile(path)
    with archive:
        for name in sorted(name for name in archive.namelist() if not name.endswith("/")):
            if not kind.has(PurePosixPath(name)):
                ignored.append(f"{path}: {name}")
                continue
            yield Member(f"{path}: {name}", PurePosixPath(name), partial(_opened_zipped, archive, name))


def _opened_zipped(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    return _decompressed(archive.open(name), name)


def _in_tar(path: Path, kind: Kind, ignored: list[str]) -> Iterator[Member]:
    """Files of a tar in the order in which they stand in it: it is read once, from front to back."""
    with _member(path).open() as stream:
        archive = _opened_tar(stream, path)
        while entry := _next_entry(archive, path):
            # What has been passed stays listed otherwise, and adds up.
            archive.members = []  # type: ignore[attr-defined]
            if not entry.isfile():
                continue
            if not kind.has(PurePosixPath(entry.name)):
                ignored.append(f"{path}: {entry.name}")
                continue
            opener = partial(_opened_entry, archive, entry)
            yield Member(f"{path}: {entry.name}", PurePosixPath(entry.name), opener)


def _opened_tar(stream: ByteStream, path: Path) -> tarfile.TarFile:
    with _naming(str(path)):
        return tarfile.open(fileobj=stream, mode="r|", bufsize=CHUNK_BYTES)


def _opened_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(entry)
    if content is None:
        raise EOFError("the archive lists a file that isn't in it")
    return _decompressed(content, entry.name)


def _next_entry(archive: tarfile.TarFile, path: Path) -> tarfile.TarInfo | None:
    with _naming(str(path)):
        return archive.next()


def _decompressed(stream: IO[bytes], name: str) -> IO[bytes]:
    ending = ".gz" if name.lower().endswith(".tgz") else PurePosixPath(name).suffix.lower()
    compression = _COMPRESSIONS.get(ending)
    if compression is None:
        return stream
    unpacked: Any = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), compression)
    return unpacked  # type: ignore[no-any-return]


def source_key(paths: Sequence[Path], salt: str) -> str:
    """By what the same download is known again, wherever it lies: names, sizes, first and last bytes, and the salt.

    Reading all of it first would double the time of an import. What differs only in the middle, at the same length
    under the same name, takes the place of what was imported before.
    """
    digest = hashlib.blake2b(salt.encode(), digest_size=KEY_CHARACTERS // 2)
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                name = _below(file, path.parent).as_posix()
                digest.update(f"\0{name}\0{file.stat().st_size}\0".encode(errors="surrogateescape"))
                digest.update(_ends_of(file))
    return digest.hexdigest()


def _ends_of(file: Path) -> bytes:
    with _naming(str(file)), open(file, "rb") as stream:
        first = stream.read(_KEY_SAMPLE_BYTES)
        stream.seek(max(0, file.stat().st_size - _KEY_SAMPLE_BYTES))
        return first + stream.read()
