"""The landing file of one run: it appears whole at the end, or not at all.

Belongs here: its schema, its name, and clearing up after a killed run. Does not: what the rows say.
"""

import contextlib
import datetime as dt
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from models_ml.feeds.entries import Document
from models_ml.landing.hashes import content_hash
from models_ml.landing.storage import StorageError

_HASH_CHARACTERS: Final = 12
_TEMPORARY: Final = ".feeds-unfinished.parquet.tmp"  # a name that intake leaves alone; one run at a time writes it
SCHEMA: Final = pa.schema(
    {
        "document_id": pa.string(),
        "body": pa.string(),
        "title": pa.string(),
        "url": pa.string(),
        "published_at": pa.timestamp("ms", "UTC"),
        "track_ids": pa.list_(pa.string()),
    }
)


class DocumentsFile:
    """Writes documents feed by feed, so that a run of many feeds holds few in memory."""

    def __init__(self, landing: Path, moment: dt.datetime) -> None:
        self._folder = landing / "documents"
        self._moment = moment
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0

    def add(self, documents: Sequence[Document]) -> None:
        """The documents of one feed."""
        if not documents:
            return
        rows = [{**vars(document), "track_ids": None} for document in documents]
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        with _the_disk(self._folder):
            if self._writer is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._writer = pq.ParquetWriter(self._beside, SCHEMA, compression="zstd")
            self._writer.write_table(table)
        self.rows += len(documents)

    def commit(self) -> Path | None:
        """Put the file under its name; None where there is no row."""
        if self._writer is None:
            return None
        with _the_disk(self._folder):
            self._writer.close()
            _sync(self._beside)
            digest = content_hash(self._beside)[:_HASH_CHARACTERS]
            target = self._folder / f"feeds-{self._moment:%Y%m%dT%H%M%S%fZ}-{digest}.parquet"
            os.replace(self._beside, target)
            _sync(self._folder)
        self._writer = None
        return target

    def discard(self) -> None:
        """Leave nothing of what isn't committed, by this run or one that was killed."""
        if self._writer is not None:
            with contextlib.suppress(OSError, pa.ArrowException):
                self._writer.close()
        with contextlib.suppress(OSError):
            self._beside.unlink(missing_ok=True)

    @property
    def _beside(self) -> Path:
        return self._folder / _TEMPORARY


@contextlib.contextmanager
def documents_file(landing: Path, moment: dt.datetime) -> Iterator[DocumentsFile]:
    """A file whose rows count once it has been committed."""
    file = DocumentsFile(landing, moment)
    file.discard()
    try:
        yield file
    finally:
        file.discard()


@contextlib.contextmanager
def _the_disk(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{folder}: can't be written ({error.strerror or error}); see to the disk") from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
