"""What an import read, wrote and left out.

Belongs here: counting while it goes on, and the table a person reads at the end. Does not: why a row is left out
(each format's module).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LISTENERS_NAMED = 5


@dataclass(frozen=True)
class ImportReport:
    """rows_written: rows by dataset.  skipped: rows by reason; rows_read = events or counts + skipped.

    files: what was read.  ignored_files: what lay beside it and is of another kind.  listeners: the first few ids.
    landed: the files written, below landing.
    """

    rows_read: int
    rows_written: Mapping[str, int]
    skipped: Mapping[str, int]
    files: tuple[str, ...]
    ignored_files: tuple[str, ...] = ()
    listeners: tuple[str, ...] = ()
    landed: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """The report as a small table."""
        rows = [("read", "rows", self.rows_read), ("", "files", len(self.files))]
        rows += [("landed" if not i else "", name, count) for i, (name, count) in enumerate(self.rows_written.items())]
        rows += [("skipped" if not i else "", name, count) for i, (name, count) in enumerate(self.skipped.items())]
        if self.ignored_files:
            rows.append(("not read", "other files", len(self.ignored_files)))
        width = max(len(name) for _, name, _ in rows)
        table = [f"{group:<9} {name:<{width}} {count:>13,}" for group, name, count in rows]
        return [*table, f"listeners {self._listeners()}"] if self.listeners else table

    def _listeners(self) -> str:
        named = ", ".join(self.listeners[:LISTENERS_NAMED])
        return f"{named} and others" if len(self.listeners) > LISTENERS_NAMED else named


@dataclass
class Tally:
    """What has been counted so far."""

    rows_read: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)
    ignored_files: list[str] = field(default_factory=list)
    listeners: dict[str, None] = field(default_factory=dict)

    def name_listeners(self, users: Sequence[str]) -> None:
        """Remember the first few listeners, for the report; one more than is shown says that there are others."""
        if len(self.listeners) <= LISTENERS_NAMED:
            for user in dict.fromkeys(users):
                if len(self.listeners) > LISTENERS_NAMED:
                    return
                self.listeners[user] = None

    def report(self, rows_written: Mapping[str, int], landed: tuple[str, ...]) -> ImportReport:
        """All of it, reasons by how many rows they took."""
        return ImportReport(
            rows_read=self.rows_read,
            rows_written=dict(rows_written),
            skipped={reason: rows for reason, rows in sorted(self.skipped.items(), key=_most_first) if rows},
            files=tuple(self.files),
            ignored_files=tuple(self.ignored_files),
            listeners=tuple(self.listeners),
            landed=landed,
        )


def _most_first(counted: tuple[str, int]) -> tuple[int, str]:
    reason, rows = counted
    return -rows, reason
