"""A small home in which two Mondays were run, with something that happened in between.

Belongs here: running them, what each said. Does not: what happens in between (the caller), expectations.
"""

import contextlib
import datetime as dt
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dagster_project.cli_run import run_week
from dagster_project.home import Home
from dagster_project.lake import Lake
from tests.worlds import MONDAY, land_small_world

BEFORE = MONDAY - dt.timedelta(weeks=1)


@dataclass(frozen=True)
class TwoMondays:
    """The home, and what each Monday said."""

    home: Home
    said: dict[dt.date, str]

    @property
    def lake(self) -> Lake:
        """Its tables."""
        return Lake(self.home.lake)


def two_mondays(folder: Path, land_between: Callable[[Home], None]) -> TwoMondays:
    """Two Mondays of the small world, the second of which looks back on the first."""
    home = Home(folder)
    home.prepare()
    home.config_file.write_text("[evaluation]\nwindow_weeks = 1\n[collaborative]\nfactors = 16\n")
    land_small_world(home.landing)
    said = {BEFORE: _run(home, BEFORE)}
    land_between(home)
    said[MONDAY] = _run(home, MONDAY)
    return TwoMondays(home, said)


def _run(home: Home, week: dt.date) -> str:
    words = io.StringIO()
    with contextlib.redirect_stderr(words):
        assert run_week(home, week)
    return words.getvalue()
