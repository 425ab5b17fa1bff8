"""Homes in which a first Monday of the small world was run: once for all modules that begin with the same.

Belongs here: which Mondays several modules begin with, running each once, a copy of it for whoever asks. Does not: what
happens after it (the caller), expectations.
"""

import contextlib
import datetime as dt
import fcntl
import io
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_project.cli_run import run_week
from dagster_project.home import Home
from tests.worlds import MONDAY, land_small_world

FEW_FACTORS = "[collaborative]\nfactors = 16\n"


@dataclass(frozen=True)
class Beginning:
    """A small world, whose plays end before `until`, the settings of its home, and the one Monday that was run."""

    name: str
    week: dt.date
    settings: str = ""
    listeners: int = 40
    tracks: int = 360
    until: dt.date = MONDAY


# For who goes on with what a week later says of its lists.
TO_BE_JUDGED = Beginning(
    "to_be_judged", MONDAY - dt.timedelta(weeks=1), f"[evaluation]\nwindow_weeks = 1\n{FEW_FACTORS}"
)
# Those who run the week after too need one that has begun: here MONDAY is the week after.
BEFORE = MONDAY - dt.timedelta(weeks=1)
PUBLISHED = Beginning("published", BEFORE, FEW_FACTORS, until=BEFORE)
SMALLEST = Beginning("smallest", BEFORE, listeners=20, tracks=240, until=BEFORE)


def played(beginning: Beginning, factory: pytest.TempPathFactory, root: Path) -> tuple[Home, str]:
    """A home of one's own at `root`, which isn't there yet, and what its Monday said when it was run."""
    made = _shared_folder(factory) / beginning.name
    made.mkdir(parents=True, exist_ok=True)
    with open(made / "lock", "w", encoding="utf-8") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # a worker that comes second waits for the first
        if not (made / "said").exists():
            said = _play(beginning, Home(made / "home"))
            (made / "said").write_text(said, encoding="utf-8")
    shutil.copytree(made / "home", root, symlinks=True)
    return Home(root), (made / "said").read_text(encoding="utf-8")


def prepare(beginning: Beginning, home: Home) -> None:
    """What the home holds before its Monday: settings, and the small world as landing files."""
    home.prepare()
    home.config_file.write_text(beginning.settings, encoding="utf-8")
    land_small_world(home.landing, beginning.listeners, beginning.tracks, until=beginning.until)


def _play(beginning: Beginning, home: Home) -> str:
    shutil.rmtree(home.root, ignore_errors=True)  # of one that failed
    prepare(beginning, home)
    words = io.StringIO()
    with contextlib.redirect_stderr(words):
        assert run_week(home, beginning.week), words.getvalue()
    return words.getvalue()


def _shared_folder(factory: pytest.TempPathFactory) -> Path:
    """One for all workers: each has its own folder below that of the session."""
    own = factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "played"
