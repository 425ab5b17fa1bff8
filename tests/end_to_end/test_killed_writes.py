"""Killed before every single line of the code that replaces what readers rely on: they have the old or the new.

Whole runs, killed at any moment: test_killed_runs.py.
"""

import datetime as dt
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.home import REPOSITORY, Home
from dagster_project.lake import Lake
from dagster_project.publishing import FILLED_IN_TABLES, NEWEST_WEEK_ONLY, publish_week
from models_ml.evaluation.report import EVALUATION_SCHEMA
from tests.memory import folder_in_memory
from tests.published import query
from tests.runs import leftovers
from tests.worlds import MONDAY

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

tables = sys.argv[4].split()

def replace(version=1, tables=tables[:2]):
    for table in tables:
        rows = pq.read_table(versions / str(version) / f"{table}.parquet")
        lake.Lake(home.lake).replace_week(f"marts/{table}", week, rows)

def publish():
    publishing.publish_week(home, week, 12, tables)

def forever():
    for version in itertools.cycle((1, 0)):
        replace(version, tables)
        publish()

def die_before_line(number):
    lines, before = itertools.count(1), None
    def trace(frame, event, argument):
        nonlocal before
        if frame.f_code.co_filename not in FILES:
            return None
        # A comprehension is one line, however often it turns: nothing is replaced meanwhile.
        if event == "line" and before != (before := (frame.f_code, frame.f_lineno)):
            if next(lines) == number:
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

OLD, NEW = 0, 1
# What the views ask for, and one of each kind: others take the same lines, and each death costs a publication.
TABLES = (
    "weekly_playlists",
    "weekly_playlist_tracks",
    "evaluation_metrics",
    *sorted(FILLED_IN_TABLES)[:1],
    NEWEST_WEEK_ONLY[0],
)
ROWS = 300  # a playlist table of ten listeners: a death costs a third less than with a hundred
MOST_KILLS = 120
ROOM_BYTES = 48 * 2**20  # the published file thrice, 6 MB each, and the lake


@dataclass(frozen=True)
class Doomed:
    """A home whose marts come in two versions, and a process in it that dies when told to."""

    home: Home
    versions: Path
    order: Callable[[str], int]

    def land(self, version: int, tables: tuple[str, ...] = TABLES) -> None:
        """Put a version of the marts into the lake."""
        for table in tables:
            rows = pq.read_table(self.versions / str(version) / f"{table}.parquet")
            Lake(self.home.lake).replace_week(f"marts/{table}", MONDAY, rows)

    def published_version(self) -> int | None:
        """The one version that every published table holds whole; None where nothing is published."""
        if not self.home.published.exists():
            return None
        tables = " union all ".join(f"select '{name}' as name, version from {name}" for name in TABLES)
        found = query(self.home.root, f"select name, version, count(*) from ({tables}) group by all order by name")
        version = int(str(found[0][1]))
        assert found == [(name, version, ROWS) for name in sorted(TABLES)]
        return version

    def lake_versions(self, tables: tuple[str, ...] = TABLES) -> set[int | None]:
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
def fast_path() -> Iterator[Path]:
    """In memory where there is room: hundreds of deaths wait for the disk more than for anything else."""
    with folder_in_memory(ROOM_BYTES) as folder:
        yield folder


@pytest.fixture
def doomed(fast_path: Path) -> Iterator[Doomed]:
    home, versions = Home(fast_path / "home"), fast_path / "versions"
    home.prepare()
    for version in (OLD, NEW):
        (versions / str(version)).mkdir(parents=True)
        for table in TABLES:
            pq.write_table(mart(version), versions / str(version) / f"{table}.parquet")
    command = [sys.executable, "-c", DIE_WHEN_TOLD, str(home.root), MONDAY.isoformat(), str(versions), " ".join(TABLES)]
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
    publish_week(doomed.home, MONDAY, 12, TABLES)
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
    two = TABLES[:2]

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
    publish_week(doomed.home, MONDAY, 12, TABLES)
    assert doomed.published_version() == NEW
    assert leftovers(doomed.home) == []
