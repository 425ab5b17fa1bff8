"""A home that feeds are read into, with limits that a test can reach."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from models_ml.feeds.reader import read_feeds
from models_ml.feeds.report import FeedReport
from models_ml.feeds.settings import FeedSettings

NOW = dt.datetime(2026, 2, 2, 12, tzinfo=dt.UTC)
QUICK = FeedSettings(
    max_mebibytes=0.1,
    host_delay_seconds=0.0,
    allow_private=True,
)


class ReadingHome:
    """A home to read feeds into."""

    def __init__(self, root: Path) -> None:
        self.landing = root / "landing"
        self.state_folder = root / "lake" / "feeds"
        self.progress: list[str] = []

    def read(self, *urls: str, now: dt.datetime = NOW, **settings: object) -> FeedReport:
        """Read these feeds, quickly unless the settings say otherwise."""
        chosen = replace(QUICK, **settings)  # type: ignore[arg-type]
        return read_feeds(urls, self.landing, self.state_folder, chosen, now, self.progress.append)

    def remark(self, *urls: str, **settings: object) -> str:
        """What is said of the first of these feeds, once they were read."""
        return self.read(*urls, **settings).feeds[0].remark  # type: ignore[arg-type]

    def files(self) -> list[Path]:
        """Landing files, oldest first."""
        return sorted(self.landing.glob("documents/*"))

    def rows(self) -> list[dict[str, object]]:
        """Rows of all landing files, oldest file first."""
        return [row for path in self.files() for row in pq.read_table(path).to_pylist()]

    def bodies(self) -> list[object]:
        return [row["body"] for row in self.rows()]
