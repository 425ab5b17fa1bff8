"""Killed: at any moment, alone or with its children. The published file stays whole, the next run puts all right.

Twenty random moments of whole runs, ten of each home's, which are a class each so that they can be run side by side.
The run after a kill may be killed too: in each row of moments one after the other, and then a run comes to its end.
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
from tests.worlds import MONDAY

BEFORE = MONDAY - dt.timedelta(weeks=1)
# Moments, of each of the two homes, in rows: at random within a share of a run's length after the lake got a table, so
# that a busy machine doesn't push the late ones out of the run.
ROWS = (
    ((None, 0.2),),
    (("inputs/week_files", 0.1), ("candidates/candidates", 0.02), ("ml/run_facts", 0.1)),
    (("ml/run_facts", 0.3), ("inputs/week_files", 0.2), ("features/market_popularity", 0.02)),
    (("marts/weekly_playlists", 0.05), (None, 0.3), ("inputs/week_files", 0.3)),
)
PATIENCE_SECONDS = 300
SHORTER = 0.7  # what is left of the time to the kill where the run was done by then
GLANCE_SECONDS = 0.005


@dataclass(frozen=True)
class Start:
    """A home before the run that is killed, and what it must hold after the one that isn't."""

    home: Home
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

    @pytest.mark.parametrize("row", range(len(ROWS)))
    def test_after_kills_the_next_run_gives_the_tables_of_a_run_never_killed(self, start: Start, row: int) -> None:
        print(kill_and_run_again(start, row, first_alone=row % 2 == 0))


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

    @pytest.mark.parametrize("row", range(len(ROWS)))
    def test_after_kills_the_next_run_gives_the_tables_of_a_run_never_killed(self, start: Start, row: int) -> None:
        print(kill_and_run_again(start, row, first_alone=row % 2 == 1))


def kill_and_run_again(start: Start, row: int, first_alone: bool) -> str:
    """Kill a run some seconds after it wrote a table, see that nothing is torn, kill the next; then run to the end.

    Returns what happened.
    """
    home, stories, sooner = start.home, None, 1.0
    while stories is None:
        start.put_back()
        stories = kills_in_a_row(start, row, first_alone, sooner)
        sooner *= SHORTER
    start.lengths.append(run_to_its_end(home, MONDAY))
    assert state(home) == start.expected, stories
    assert leftovers(home) == [], stories
    waited = "waiting: another run" in log_of(home).read_text()
    return f"{stories}; next run {start.lengths[-1]:.1f} s{', waited for the orphan' if waited else ''}"


def kills_in_a_row(start: Start, row: int, first_alone: bool, sooner: float) -> str | None:
    """Kill one run after the other, all but the first in the home that the one before left. None where one was done."""
    home, stories = start.home, []
    for number, (table, share) in enumerate(ROWS[row]):
        alone = first_alone == (number % 2 == 0)
        draw = random.Random(f"{home.root.name} {row} {number}").random()
        seconds = share * draw * start.lengths[-1] * sooner
        if not killed_midway(home, table, seconds, alone):
            return None
        how = f"{'alone' if alone else 'with its children'} {seconds:.2f} s after {table or 'its start'}"
        stories.append(f"{home.root.name} killed {how}, last written {last_written(home)}")
        see_that_readers_have_old_or_new(start, "; ".join(stories))
    return "; ".join(stories)


def killed_midway(home: Home, table: str | None, seconds: float, alone: bool) -> bool:
    """Kill a run so long after it wrote the table, which an earlier one that was killed may have written before it.

    False where it was done before.
    """
    log_of(home).unlink(missing_ok=True)
    written = when_written(home, table)
    run = start_loaded_run(home, MONDAY, log_of(home))
    while run.exitcode is None and table and when_written(home, table) == written:
        time.sleep(GLANCE_SECONDS)
    run.join(seconds)
    if run.exitcode is not None:
        assert run.exitcode == 0, log_of(home).read_text()
        return False
    kill(run.pid, alone)
    run.join()
    assert run.exitcode in (-signal.SIGKILL, 0)
    return True


def when_written(home: Home, table: str | None) -> int:
    """Nanoseconds at which the lake got the table of the week, 0 where it hasn't."""
    lake = Lake(home.lake)
    if table is None or not lake.has_week(table, MONDAY):
        return 0
    return lake.path(table, MONDAY).stat().st_mtime_ns


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
