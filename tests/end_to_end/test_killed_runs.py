"""Killed: at any moment, alone or with its children. The published file stays whole, the next run puts all right.

Twenty random moments of whole runs, and every single line of the code that replaces what readers rely on.
"""

import contextlib
import datetime as dt
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.home import REPOSITORY, Home
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest
from dagster_project.publishing import PUBLISHED_TABLES, publish_week
from models_ml.evaluation.report import EVALUATION_SCHEMA
from tests.published import fingerprint, query
from tests.runs import broken_playlists, start_run
from tests.worlds import MONDAY, land_small_world

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

# Does what it is told, in a child each time, and has the child die: before its nth line in the files that replace
# things, or after some seconds. Answers with the child's status.
DIE_WHEN_TOLD = """
import itertools, os, signal, sys, time
from pathlib import Path
import pyarrow.dataset  # once here, or every child loads it anew at its first read
import pyarrow.parquet as pq
from dagster_project import lake, publishing
from dagster_project.home import Home, parse_week

home, week, versions = Home(Path(sys.argv[1])), parse_week(sys.argv[2]), Path(sys.argv[3])
FILES = {lake.__file__, publishing.__file__}

def replace(version=1, tables=publishing.PUBLISHED_TABLES[:2]):
    for table in tables:
        rows = pq.read_table(versions / str(version) / f"{table}.parquet")
        lake.Lake(home.lake).replace_week(f"marts/{table}", week, rows)

def publish():
    publishing.publish_week(home, week, 12)

def forever():
    for version in itertools.cycle((1, 0)):
        replace(version, publishing.PUBLISHED_TABLES)
        publish()

def die_before_line(number):
    lines = itertools.count(1)
    def trace(frame, event, argument):
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line" and next(lines) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)

for order in sys.stdin:
    act, kind, number = order.split()
    child = os.fork()
    if child == 0:
        if kind == "line":
            die_before_line(int(number))
        {"replace": replace, "publish": publish, "forever": forever}[act]()
        os._exit(0)
    if kind == "seconds":
        time.sleep(float(number))
        os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""


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
    run = start_run(home, week, log)
    try:
        assert run.wait(timeout=PATIENCE_SECONDS) == 0, log.read_text()
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    return time.monotonic() - started


def log_of(home: Home) -> Path:
    return home.root.with_suffix(".log")


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Start, Start]:
    """A home with landing files alone, and one that has published the week before; both with dbt's parsing done."""
    folder = tmp_path_factory.mktemp("killed")
    empty, grown = Home(folder / "empty"), Home(folder / "grown")
    for home in (empty, grown):
        land_small_world(home.landing, listeners=20, tracks=240)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run_to_its_end, (empty, grown), (MONDAY, BEFORE)))
        never_killed = state(empty)
        shutil.copytree(empty.landing, folder / "empty_copy" / "landing")
        shutil.copytree(empty.dbt_target, folder / "empty_copy" / "dbt" / "target")
        shutil.copytree(grown.root, folder / "grown_copy")
        shutil.rmtree(empty.root)
        shutil.copytree(folder / "empty_copy", empty.root)
        seconds = list(pool.map(run_to_its_end, (empty, grown), (MONDAY, MONDAY)))
    assert state(empty) == never_killed
    shutil.copytree(grown.dbt_target, folder / "grown_copy" / "dbt" / "target", dirs_exist_ok=True)
    return (
        Start(empty, folder / "empty_copy", seconds[:1], never_killed),
        Start(grown, folder / "grown_copy", seconds[1:], state(grown)),
    )


@pytest.mark.parametrize("moment", range(len(MOMENTS)))
def test_after_a_kill_the_next_run_gives_the_tables_of_a_run_never_killed(
    starts: tuple[Start, Start],
    moment: int,
) -> None:
    table, share = MOMENTS[moment]
    draws = random.Random(moment)
    seconds = [share * draws.random() * start.lengths[-1] for start in starts]
    alone = [moment % 2 == 0, moment % 2 == 1]
    with ThreadPoolExecutor(2) as pool:
        for story in pool.map(kill_and_run_again, starts, [table] * 2, seconds, alone):
            print(story)


def kill_and_run_again(start: Start, table: str | None, seconds: float, alone: bool) -> str:
    """Kill a run some seconds after it wrote a table, see that nothing is torn, run again. Returns what happened."""
    home = start.home
    seconds = kill_midway(start, table, seconds, alone)
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
        run = start_run(start.home, MONDAY, log_of(start.home))
        while table and run.poll() is None and not Lake(start.home.lake).has_week(table, MONDAY):
            time.sleep(GLANCE_SECONDS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert run.wait(timeout=seconds) == 0, log_of(start.home).read_text()
            seconds *= SHORTER
            continue
        if alone:
            os.kill(run.pid, signal.SIGKILL)
        else:
            os.killpg(run.pid, signal.SIGKILL)
        assert run.wait() in (-signal.SIGKILL, 0)
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


def leftovers(home: Home) -> list[str]:
    """Half-written files, and whatever lies beside the published one."""
    half = [path for pattern in (".*.writing*", ".*.tmp") for path in home.root.rglob(pattern)]
    beside = [path for path in home.published.parent.iterdir() if path != home.published]
    return sorted(str(path.relative_to(home.root)) for path in half + beside)


OLD, NEW = 0, 1
ROWS = 300  # a playlist table of ten listeners: a death costs a third less than with a hundred
MOST_KILLS = 120
ROOM_BYTES = 48 * 2**20  # the published file thrice, 6 MB each, and the lake


@dataclass(frozen=True)
class Doomed:
    """A home whose marts come in two versions, and a process in it that dies when told to."""

    home: Home
    versions: Path
    order: Callable[[str], int]

    def land(self, version: int, tables: tuple[str, ...] = PUBLISHED_TABLES) -> None:
        """Put a version of the marts into the lake."""
        for table in tables:
            rows = pq.read_table(self.versions / str(version) / f"{table}.parquet")
            Lake(self.home.lake).replace_week(f"marts/{table}", MONDAY, rows)

    def published_version(self) -> int | None:
        """The one version that every published table holds whole; None where nothing is published."""
        if not self.home.published.exists():
            return None
        tables = " union all ".join(f"select '{name}' as name, version from {name}" for name in PUBLISHED_TABLES)
        found = query(self.home.root, f"select name, version, count(*) from ({tables}) group by all order by name")
        version = int(str(found[0][1]))
        assert found == [(name, version, ROWS) for name in sorted(PUBLISHED_TABLES)]
        return version

    def lake_versions(self, tables: tuple[str, ...] = PUBLISHED_TABLES) -> set[int | None]:
        """The version of each mart in the lake, each of them whole; None for those that aren't there."""
        versions: set[int | None] = set()
        for table in tables:
            if not Lake(self.home.lake).has_week(f"marts/{table}", MONDAY):
                versions.add(None)
                continue
            column = Lake(self.home.lake).read_week(f"marts/{table}", MONDAY)["version"].to_numpy()
            assert len(column) == ROWS
            assert len(np.unique(column)) == 1
            versions.add(int(column[0]))
        return versions


@pytest.fixture
def fast_path(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is room: 1600 deaths wait for the disk more than for anything else.

    What a killed process wrote is in the kernel's hands on either; only a machine that loses power tells them apart.
    """
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or shutil.disk_usage(memory).free < ROOM_BYTES:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="monday_mix_") as folder:
        yield Path(folder)


@pytest.fixture
def doomed(fast_path: Path) -> Iterator[Doomed]:
    home, versions = Home(fast_path / "home"), fast_path / "versions"
    home.prepare()
    for version in (OLD, NEW):
        (versions / str(version)).mkdir(parents=True)
        for table in PUBLISHED_TABLES:
            pq.write_table(mart(version), versions / str(version) / f"{table}.parquet")
    command = [sys.executable, "-c", DIE_WHEN_TOLD, str(home.root), MONDAY.isoformat(), str(versions)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def order(words: str) -> int:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(words + "\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield Doomed(home, versions, order)


def mart(version: int) -> pa.Table:
    """Rows that serve as any of the published tables: they have every column that a view, or publishing, asks for."""
    return pa.table(
        {
            **{field.name: pa.nulls(ROWS, field.type) for field in EVALUATION_SCHEMA},
            "program_id": ["discover"] * ROWS,
            "week": pa.array([MONDAY] * ROWS, pa.date32()),
            "user_id": [f"u{number // 30}" for number in range(ROWS)],
            "position": pa.array([number % 30 + 1 for number in range(ROWS)], pa.int32()),
            "contribution_collaborative": [0.5] * ROWS,
            "input_cutoff_at": pa.array([dt.datetime.combine(MONDAY, dt.time())] * ROWS, pa.timestamp("us")),
            "version": pa.array([version] * ROWS, pa.int32()),
        }
    )


def deaths_line_by_line(doomed: Doomed, act: str, put_back: Callable[[], None]) -> Iterator[bool]:
    """Have `act` die before its first line, its second, and so on; True for each death, False where it lived."""
    for line in range(1, 1_000):
        put_back()
        status = doomed.order(f"{act} line {line}")
        assert status in (signal.SIGKILL, 0)
        yield status != 0
        if status == 0:
            return


@pytest.mark.parametrize("before", [None, OLD])
def test_publishing_killed_at_any_line_leaves_the_old_file_or_the_new(doomed: Doomed, before: int | None) -> None:
    doomed.land(OLD)
    publish_week(doomed.home, MONDAY, 12)
    copy = doomed.home.root / "copy.duckdb"
    os.replace(doomed.home.published, copy)
    doomed.land(NEW)

    def put_back() -> None:  # what the one before left unfinished stays
        doomed.home.published.unlink(missing_ok=True)
        if before is not None:
            shutil.copy(copy, doomed.home.published)

    seen = [(died, doomed.published_version()) for died in deaths_line_by_line(doomed, "publish", put_back)]
    assert set(seen[:-1]) == {(True, before), (True, NEW)}
    assert [version for _, version in seen] == sorted((version for _, version in seen), key=lambda it: it == NEW)
    assert seen[-1] == (False, NEW)
    assert len(seen) > 50, "lines were counted"
    assert leftovers(doomed.home) == []


@pytest.mark.parametrize("before", [None, OLD])
def test_a_week_of_the_lake_killed_at_any_line_is_the_old_one_or_the_new(doomed: Doomed, before: int | None) -> None:
    two = PUBLISHED_TABLES[:2]

    def put_back() -> None:
        if before is None:
            for table in two:
                (Lake(doomed.home.lake).folder(f"marts/{table}", MONDAY) / "_committed").unlink(missing_ok=True)
        else:
            doomed.land(OLD, two)

    seen = [(died, doomed.lake_versions(two)) for died in deaths_line_by_line(doomed, "replace", put_back)]
    assert seen[0] == (True, {before})
    assert all(versions <= {before, NEW} for _, versions in seen)
    assert (True, {before, NEW}) in seen
    assert seen[-1] == (False, {NEW})
    assert leftovers(doomed.home) == []


def test_publishing_killed_at_random_moments_leaves_a_whole_file_each_time(doomed: Doomed) -> None:
    """Thirty moments at least, and later ones until they have fallen into both versions: machines differ in speed."""
    draws = random.Random(30)
    published: set[int | None] = set()
    longest_seconds = 0.6
    for kills in range(1, MOST_KILLS + 1):
        assert doomed.order(f"forever seconds {draws.uniform(0.0, longest_seconds):.4f}") == signal.SIGKILL
        published.add(doomed.published_version())
        assert doomed.lake_versions() <= {None, OLD, NEW}
        if {OLD, NEW} <= published and kills >= 30:
            break
        longest_seconds *= 1.03
    assert {OLD, NEW} <= published, "the moments fell into both versions"
    doomed.land(NEW)
    publish_week(doomed.home, MONDAY, 12)
    assert doomed.published_version() == NEW
    assert leftovers(doomed.home) == []
