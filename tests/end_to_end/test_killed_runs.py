"""Killed: at any moment, alone or with its children. The published file stays whole, the next run puts all right.

Twenty random moments of whole runs, ten of each home's, which are a class each so that they can be run side by side.
Every line of the code that replaces files: test_killed_writes.py.
"""

import contextlib
import datetime as dt
import os
import random
import shutil
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest
from tests.played import SMALLEST, played, prepare
from tests.published import fingerprint, query
from tests.runs import broken_playlists, leftovers, start_loaded_run

MONDAY = SMALLEST.week
BEFORE = MONDAY - dt.timedelta(weeks=1)
# Moments, of each of the two homes: at random within a share of a run's length after the lake got a table, so that
# a busy machine doesn't push the late ones out of the run.
MOMENTS = (
    (None, 0.2),
    (None, 0.3),
    ("inputs/week_files", 0.1),
    ("inputs/week_files", 0.2),
    ("inputs/week_files", 0.3),
    ("features/market_popularity", 0.02),
    ("candidates/candidates", 0.02),
    ("ml/run_facts", 0.1),
    ("ml/run_facts", 0.3),
    ("marts/weekly_playlists", 0.05),
)
PATIENCE_SECONDS = 300
SHORTER = 0.7  # what is left of the time to the kill where the run was done by then
GLANCE_SECONDS = 0.005


@dataclass(frozen=True)
class Start:
    """A home before the run that is killed, and what it must hold after the one that isn't."""

    home: Home  # always this folder: dbt parses everything anew in one of another name
    copy: Path
    lengths: list[float]  # seconds of the runs so far: the newest tells how busy the machine is now
    expected: dict[str, object]

    def put_back(self) -> None:
        """The home as it was before the run."""
        shutil.rmtree(self.home.root, ignore_errors=True)
        shutil.copytree(self.copy, self.home.root)


def published_weeks(home: Home) -> dict[str, dict[str, str]]:
    """Each published week's tables by their hashes; empty where nothing is published."""
    if not home.published.exists():
        return {}
    weeks = query(home.root, "select distinct week from weekly_playlists order by week")
    return {str(week): fingerprint(home.root, dt.date.fromisoformat(str(week))) for (week,) in weeks}


def state(home: Home) -> dict[str, object]:
    """What later weeks and readers rely on: published tables, and every table that the manifest vouches for."""
    manifest = read_manifest(home, MONDAY)
    assert manifest is not None
    return {"published": published_weeks(home), "lake": manifest["tables"]}


def run_to_its_end(home: Home, week: dt.date) -> float:
    """Seconds that a run took. What it said is beside the home."""
    log, started = log_of(home), time.monotonic()
    run = start_loaded_run(home, week, log, own_dbt=False)
    try:
        run.join(PATIENCE_SECONDS)
        assert run.exitcode == 0, log.read_text()
    finally:
        if run.exitcode is None:
            kill(run.pid, alone=False)
    return time.monotonic() - started


def kill(process: int | None, alone: bool) -> None:
    """Kill a run, and unless it is to be it alone, whatever it has started."""
    assert process is not None
    with contextlib.suppress(ProcessLookupError):  # done just now, or no leader of its group yet
        if not alone:
            os.killpg(process, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def log_of(home: Home) -> Path:
    return home.root.with_suffix(".log")


class TestFirstMonday:
    """Of a home with landing files alone."""

    @pytest.fixture(scope="class")
    def start(self, tmp_path_factory: pytest.TempPathFactory) -> Start:
        folder = tmp_path_factory.mktemp("killed")
        home, copy = Home(folder / "empty"), Home(folder / "empty_copy")
        prepare(SMALLEST, copy)
        shutil.copytree(copy.root, home.root)
        seconds = run_to_its_end(home, MONDAY)
        never_killed, _ = played(SMALLEST, tmp_path_factory, folder / "never_killed")
        assert state(home) == state(never_killed)
        return Start(home, copy.root, [seconds], state(home))

    @pytest.mark.parametrize("moment", range(len(MOMENTS)))
    def test_after_a_kill_the_next_run_gives_the_tables_of_a_run_never_killed(self, start: Start, moment: int) -> None:
        print(kill_and_run_again(start, moment, alone=moment % 2 == 0))


class TestMondayAfter:
    """Of a home that has published the week before."""

    @pytest.fixture(scope="class")
    def start(self, tmp_path_factory: pytest.TempPathFactory) -> Start:
        folder = tmp_path_factory.mktemp("killed")
        home = Home(folder / "grown")
        prepare(SMALLEST, home)
        run_to_its_end(home, BEFORE)
        shutil.copytree(home.root, folder / "grown_copy")
        seconds = run_to_its_end(home, MONDAY)
        return Start(home, folder / "grown_copy", [seconds], state(home))

    @pytest.mark.parametrize("moment", range(len(MOMENTS)))
    def test_after_a_kill_the_next_run_gives_the_tables_of_a_run_never_killed(self, start: Start, moment: int) -> None:
        print(kill_and_run_again(start, moment, alone=moment % 2 == 1))


def kill_and_run_again(start: Start, moment: int, alone: bool) -> str:
    """Kill a run some seconds after it wrote a table, see that nothing is torn, run again. Returns what happened."""
    home = start.home
    table, share = MOMENTS[moment]
    draw = random.Random(f"{home.root.name} {moment}").random()
    seconds = kill_midway(start, table, share * draw * start.lengths[-1], alone)
    how = f"{'alone' if alone else 'with its children'} {seconds:.2f} s after {table or 'its start'}"
    story = f"{home.root.name} killed {how}, last written {last_written(home)}"
    see_that_readers_have_old_or_new(start, story)
    start.lengths.append(run_to_its_end(home, MONDAY))
    assert state(home) == start.expected, story
    assert leftovers(home) == [], story
    waited = "waiting: another run" in log_of(home).read_text()
    return f"{story}; next run {start.lengths[-1]:.1f} s{', waited for the orphan' if waited else ''}"


def kill_midway(start: Start, table: str | None, seconds: float, alone: bool) -> float:
    """Kill a run that is still under way; sooner where it was done before. Returns how long after the table."""
    while True:
        start.put_back()
        log_of(start.home).unlink(missing_ok=True)
        run = start_loaded_run(start.home, MONDAY, log_of(start.home))
        while table and run.exitcode is None and not Lake(start.home.lake).has_week(table, MONDAY):
            time.sleep(GLANCE_SECONDS)
        run.join(seconds)
        if run.exitcode is not None:
            assert run.exitcode == 0, log_of(start.home).read_text()
            seconds *= SHORTER
            continue
        kill(run.pid, alone)
        run.join()
        assert run.exitcode in (-signal.SIGKILL, 0)
        return seconds


def last_written(home: Home) -> str:
    """The table of the week that the lake got last, for the story."""
    markers = home.lake.glob(f"*/*/week={MONDAY}/_committed")
    newest = max(markers, key=lambda marker: marker.stat().st_mtime, default=None)
    return "nothing" if newest is None else newest.parent.parent.relative_to(home.lake).as_posix()


def see_that_readers_have_old_or_new(start: Start, story: str) -> None:
    """The weeks published before, as they were; the killed week as it must be, or not at all."""
    found, expected = published_weeks(start.home), start.expected["published"]
    assert isinstance(expected, dict)
    before = set(expected) - {MONDAY.isoformat()}
    assert before <= set(found) <= set(expected), story
    assert found == {week: expected[week] for week in found}, story
    assert not found or broken_playlists(start.home) == [], story
