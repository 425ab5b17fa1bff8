"""What became of each feed.

Belongs here: outcomes, and the table a person reads at the end. Does not: deciding on them (reader.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Status(StrEnum):
    """new: read for the first time.  read: something has landed.  unchanged: nothing new.  left_alone: not asked."""

    NEW = "new"
    READ = "read"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "left alone"
    ERROR = "error"


@dataclass(frozen=True)
class FeedOutcome:
    """rows: that landed.  counts: entries by what was missing or left out.  remark: an error or a warning."""

    url: str
    status: Status
    rows: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    remark: str = ""

    def line(self) -> str:
        """One line a feed."""
        counted = [f"{count:,} {name}" for name, count in self.counts.items() if count]
        remarks = "; ".join(filter(None, [", ".join(counted), self.remark]))
        return f"{self.status:<10} {self.rows:>6,}  {_printable(self.url)}" + (
            f"  ({_printable(remarks)})" * bool(remarks)
        )


@dataclass(frozen=True)
class FeedReport:
    """feeds: in the order of the list.  landed: the file, None where nothing was new."""

    feeds: tuple[FeedOutcome, ...]
    landed: Path | None

    @property
    def rows(self) -> int:
        """Documents that landed."""
        return sum(feed.rows for feed in self.feeds)

    @property
    def all_failed(self) -> bool:
        """Whether no feed could be read; one that was left alone on purpose hasn't failed."""
        return all(feed.status is Status.ERROR for feed in self.feeds)

    def lines(self) -> list[str]:
        """The report as a small table."""
        failed = sum(feed.status is Status.ERROR for feed in self.feeds)
        total = f"{self.rows:,} documents from {len(self.feeds):,} feeds" + (f", {failed:,} failed" if failed else "")
        return [f"{'feed':<10} {'rows':>6}  address", *(feed.line() for feed in self.feeds), total]


def _printable(text: str) -> str:
    """What a server says can't move the cursor or colour the screen."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
