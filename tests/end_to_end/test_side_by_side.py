"""Side by side: runs of one home take turns, and readers never notice a run."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from dagster_project.home import REPOSITORY, Home
from tests.played import SMALLEST, played, prepare
from tests.published import fingerprint, query
from tests.runs import TRACKS, broken_playlists, start_run

MONDAY = SMALLEST.week
NEXT = MONDAY + dt.timedelta(weeks=1)
LISTENERS = SMALLEST.listeners
READERS = 10
PATIENCE_SECONDS = 300
WAITING = "waiting: another run"

READ_UNTIL_TOLD = """
import json, sys, time
from pathlib import Path
import duckdb
published, told = sys.argv[1], Path(sys.argv[2])
reads, seen, last = 0, set(), False
while not last:
    last = told.exists()  # one more read after that: the new week is there by then
    with duckdb.connect(published, read_only=True, config={"threads": 1}) as connection:
        seen.add(connection.execute('''
            select (select count(distinct week) from weekly_playlists), (select count(*) from weekly_playlists),
                   (select count(*) from weekly_playlist_tracks)
        ''').fetchone())
    reads += 1
    time.sleep(0.25)  # ten of them without a rest leave two cores nothing for the run
print(json.dumps({"reads": reads, "seen": sorted(seen)}))
"""

SET_UP_HISTORY_AT_ONCE = """
import os, sys, time
from pathlib import Path
from dagster_project.cli_run import _instance
from dagster_project.home import Home
for attempt in range(3):
    together = time.monotonic() + 0.2
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            while time.monotonic() < together:
                pass
            with _instance(Home(Path(sys.argv[1]) / str(attempt))) as instance:
                instance.get_runs_count()
            os._exit(0)
        children.append(child)
    if any([os.waitpid(child, 0)[1] for child in children]):
        sys.exit(1)
"""


@dataclass(frozen=True)
class Reference:
    """What the tables are when runs follow one another, and what ten readers saw during the second."""

    first_monday_only: Path
    tables: dict[dt.date, dict[str, str]]
    readers: list[dict[str, object]]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tmp_path_factory.mktemp("side_by_side")
    home, _ = played(SMALLEST, tmp_path_factory, folder / "reference")
    shutil.copytree(home.root, folder / "first_monday_only")
    readers = start_readers(home, told=folder / "told")
    try:
        run_to_its_end(home, NEXT, folder / "run.log")
    finally:
        (folder / "told").touch()
        words = [reader.communicate(timeout=60) for reader in readers]
    assert [errors for _, errors in words] == [""] * READERS
    assert [reader.returncode for reader in readers] == [0] * READERS
    tables = {week: fingerprint(home.root, week) for week in (MONDAY, NEXT)}
    return Reference(folder / "first_monday_only", tables, [json.loads(output) for output, _ in words])


def run_to_its_end(home: Home, week: dt.date, log: Path) -> None:
    assert start_run(home, week, log).wait(timeout=PATIENCE_SECONDS) == 0, log.read_text()


def start_readers(home: Home, told: Path) -> "list[subprocess.Popen[str]]":
    command = [sys.executable, "-c", READ_UNTIL_TOLD, str(home.published), str(told)]
    return [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(READERS)
    ]


def run_together(home: Home, weeks: tuple[dt.date, dt.date], folder: Path) -> Iterator[str]:
    """Start a run for each week at once; their words once both are done and went well."""
    logs = [folder / f"{number}.log" for number in range(len(weeks))]
    runs = [start_run(home, week, log) for week, log in zip(weeks, logs, strict=True)]
    codes = [run.wait(timeout=PATIENCE_SECONDS) for run in runs]
    words = [log.read_text() for log in logs]
    assert codes == [0, 0], "\n".join(words)
    yield from words


def test_two_first_runs_of_the_same_week_take_turns_and_give_it_once(reference: Reference, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    prepare(SMALLEST, home)
    words = list(run_together(home, (MONDAY, MONDAY), tmp_path))
    assert sorted(text.count(WAITING) > 0 for text in words) == [False, True]
    assert query(home.root, "select count(*), count(distinct week) from weekly_playlists") == [(LISTENERS, 1)]
    assert fingerprint(home.root, MONDAY) == reference.tables[MONDAY]


def test_runs_of_two_weeks_take_turns_and_both_are_published(reference: Reference, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(reference.first_monday_only, home.root)
    words = list(run_together(home, (NEXT, MONDAY), tmp_path))
    assert sorted(text.count(WAITING) > 0 for text in words) == [False, True]
    assert broken_playlists(home) == []
    # Whichever came first: a Monday that was run before stays as it was, and the next builds on it.
    assert {week: fingerprint(home.root, week) for week in (MONDAY, NEXT)} == reference.tables


def test_ten_readers_see_whole_weeks_before_and_after_and_nothing_else(reference: Reference) -> None:
    one_week, two_weeks = [[weeks, weeks * LISTENERS, weeks * LISTENERS * TRACKS] for weeks in (1, 2)]
    assert [reader["seen"] for reader in reference.readers] == [[one_week, two_weeks]] * READERS
    assert all(int(str(reader["reads"])) > 10 for reader in reference.readers), "they read on all through the run"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write whatever a file's mode says")
def test_nobody_can_open_the_published_file_to_write(reference: Reference) -> None:
    published = Home(reference.first_monday_only).published
    with pytest.raises(duckdb.IOException):
        duckdb.connect(str(published))


def test_first_runs_that_start_at_the_same_moment_share_one_history(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SET_UP_HISTORY_AT_ONCE, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
