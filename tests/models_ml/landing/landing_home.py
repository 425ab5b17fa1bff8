"""A landing folder to put files in, and its intake read back.

Belongs here: what the tests of landing share.
Does not: expectations.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models_ml.landing.intake import intake_path, take_in
from models_ml.landing.report import IntakeFile, IntakeReport

NOW = dt.datetime(2026, 1, 5, 6, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Home:
    """A landing folder and its intake."""

    landing: Path
    intake: Path

    def land(self, path: str, content: bytes | pa.Table) -> Path:
        """Put bytes, or a table as Parquet, below landing."""
        target = self.landing / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            pq.write_table(content, target)
        return target

    def take_in(self, now: dt.datetime = NOW) -> IntakeReport:
        """What the pipeline does at the start of each run."""
        return take_in(self.landing, self.intake, now)

    def file(self, path: str, now: dt.datetime = NOW) -> IntakeFile:
        """The report's line on one file."""
        (found,) = (file for file in self.take_in(now).files if file.path == path)
        return found

    def rows(self, path: str, *columns: str) -> list[Any]:
        """Intake rows of one landed file that has to be readable: values, or tuples of several columns."""
        file = self.file(path)
        assert file.error is None, file.error
        assert file.content_hash is not None
        table = pq.read_table(intake_path(self.intake, file.dataset, file.content_hash))
        # An intake file of sounds holds those that came with it.
        table = table.filter(pc.equal(table.column("_file_hash"), file.content_hash))
        assert table.num_rows == file.row_count
        if not columns:
            return [dict(row) for row in table.drop_columns(["_file_hash"]).to_pylist()]
        picked = [table.column(name).to_pylist() for name in columns]
        return picked[0] if len(picked) == 1 else list(zip(*picked, strict=True))

    def error(self, path: str) -> str:
        """Why a file isn't read."""
        error = self.file(path).error
        assert error is not None, f"{path} was read"
        assert "\n" not in error
        return error
