"""A small home in which two Mondays were run, with something that happened in between.

Belongs here: running them, what each said. Does not: what happens in between (the caller), expectations.
"""

import contextlib
import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_project.cli_run import run_week
from dagster_project.home import Home
from dagster_project.lake import Lake
from tests.played import TO_BE_JUDGED, played
from tests.worlds import MONDAY

BEFORE = TO_BE_JUDGED.week


@dataclass(frozen=True)
class TwoMondays:
    """The home, and what each Monday said."""

    home: Home
    said: dict[dt.date, str]

    @property
    def lake(self) -> Lake:
        """Its tables."""
        return Lake(self.home.lake)


def two_mondays(factory: pytest.TempPathFactory, folder: Path, land_between: Callable[[Home], None]) -> TwoMondays:
    """Two Mondays of the small world, the second of which looks back on the first."""
    home, said_before = played(TO_BE_JUDGED, factory, folder)
    land_between(home)
    words = io.StringIO()
    with contextlib.redirect_stderr(words):
        assert run_week(home, MONDAY)
    return TwoMondays(home, {BEFORE: said_before, MONDAY: words.getvalue()})
