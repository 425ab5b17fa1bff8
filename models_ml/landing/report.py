"""What intake found, file by file.

Belongs here: the report's rows and their Arrow table.
Does not: making them (intake), choosing a week's files from them.
"""

import datetime as dt
from dataclasses import dataclass

import pyarrow as pa

REPORT_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("path", pa.string()),
        ("content_hash", pa.string()),
        ("size_bytes", pa.int64()),
        ("row_count", pa.int64()),
        ("first_seen_at", pa.timestamp("us")),
        ("error", pa.string()),
        ("duplicate_of", pa.string()),
    ]
)


@dataclass(frozen=True)
class IntakeFile:
    """A file that lies in landing now.

    path: posix, below landing.  content_hash: None where the bytes weren't read.  row_count: malformed rows
    included.  first_seen_at: UTC, when this content was first taken in; for a file with an error, now.
    error: why it isn't read.  duplicate_of: path of the file of the dataset with the same content that is read.
    """

    dataset: str
    path: str
    content_hash: str | None
    size_bytes: int
    row_count: int
    first_seen_at: dt.datetime
    error: str | None = None
    duplicate_of: str | None = None


@dataclass(frozen=True)
class IntakeReport:
    """Every file in landing, sorted by path."""

    files: tuple[IntakeFile, ...]

    @property
    def errors(self) -> tuple[IntakeFile, ...]:
        """Files that aren't read."""
        return tuple(file for file in self.files if file.error is not None)

    @property
    def landed_datasets(self) -> frozenset[str]:
        """Datasets with at least one readable file that has rows."""
        return frozenset(file.dataset for file in self.files if file.error is None and file.row_count > 0)

    def to_arrow(self) -> pa.Table:
        """One row per file; moments as naive UTC, as everywhere in the lake."""
        return pa.table(
            {
                field.name: pa.array([_plain(getattr(file, field.name)) for file in self.files], field.type)
                for field in REPORT_SCHEMA
            },
            schema=REPORT_SCHEMA,
        )


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    return value
