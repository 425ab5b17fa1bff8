"""What tests call in the place of `monday-mix-dbt` does as that does, and is gone when they are."""

import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.dbt_manifest import DBT, READ_BY_YAML
from dagster_project.home import REPOSITORY, WAREHOUSE_PROJECT, Home
from dagster_project.resources import prepare_home
from tests.loaded_dbt import REAL, LoadedDbt

pytestmark = pytest.mark.skipif(not isinstance(DBT, LoadedDbt), reason="tests call the command itself here")

PLACES = ("--profiles-dir", ".", "--log-level-file", "none", "--no-use-colors")
# What it reads wasn't made, and what reads it is skipped.
FAILING = ("build", "--select", "base_events", "stg_events", *PLACES)
OF_ONE_CALL = re.compile(r"\b\d\d:\d\d:\d\d\b|\b\d+\.\d+(?=s| sec)")  # times of day, seconds
PATIENCE_SECONDS = 60


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    prepare_home(home)
    return home


def _environment(home: Home, **more: str) -> dict[str, str]:
    silent = {name: value for name, value in os.environ.items() if name not in READ_BY_YAML}
    target = os.path.relpath(home.root / "target", WAREHOUSE_PROJECT)
    told = {"MONDAY_MIX_HOME": str(home.root), "MONDAY_MIX_DBT_THREADS": "1", "DBT_TARGET_PATH": target}
    return {**silent, **told, **more}


def _called(command: os.PathLike[str], home: Home, arguments: tuple[str, ...], **more: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    done = subprocess.run(
        [command, *arguments],
        cwd=WAREHOUSE_PROJECT,
        env=_environment(home, **more),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, OF_ONE_CALL.sub("", done.stdout), OF_ONE_CALL.sub("", done.stderr)


def _left(home: Home) -> set[Path]:
    return {path.relative_to(home.root) for path in home.root.rglob("*")}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("seed", "--select", "context_classes", *PLACES), 0, "Completed successfully"),
        (FAILING, 1, "Failure in model base_events"),
        (("build", "--nonsense"), 2, "No such option '--nonsense'."),
    ],
)
def test_it_says_and_does_what_the_command_does(
    home: Home, tmp_path: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    by_the_command = _called(REAL, home, arguments)
    assert by_the_command[0] == status
    assert said in by_the_command[1] + by_the_command[2]
    before = Home(home.root.rename(tmp_path / "before"))
    prepare_home(home)  # under the same path, which dbt names
    assert _called(DBT, home, arguments) == by_the_command
    assert _left(home) == _left(before)


def test_it_tells_dagster_what_the_command_tells(home: Home) -> None:
    told = []
    for command in (REAL, DBT):
        status, lines, _ = _called(command, home, FAILING, DAGSTER_DBT_CLI="true", DBT_LOG_FORMAT="json")
        events = [json.loads(line)["info"] for line in lines.splitlines()]
        told.append((status, [(event["name"], event["level"], event["msg"]) for event in events]))
    assert told[0] == told[1]
    assert ("RunResultError", "error") in {event[:2] for event in told[0][1]}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 2), (signal.SIGTERM, -15), (signal.SIGKILL, -9)])
def test_a_signal_ends_it_as_it_ends_the_command(home: Home, number: int, status: int) -> None:
    for command in (REAL, DBT):
        arguments = [command, "build", "--select", "tag:features", *PLACES]
        with subprocess.Popen(
            arguments, cwd=WAREHOUSE_PROJECT, env=_environment(home), stdout=subprocess.PIPE, text=True
        ) as call:
            assert call.stdout is not None
            assert any("START" in line for line in call.stdout)
            call.send_signal(number)
            call.stdout.read()  # to the end: nobody is left who could write
            assert call.wait(PATIENCE_SECONDS) == status


def test_it_is_gone_when_its_session_was_killed() -> None:
    session = (
        "import time; from tests.loaded_dbt import LoadedDbt; command = LoadedDbt(); str(command); "
        "print(command._process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", session], cwd=REPOSITORY, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        loading = os.pidfd_open(int(process.stdout.readline()))
        process.kill()
    try:
        assert select.select([loading], [], [], PATIENCE_SECONDS)[0] == [loading], "it is still there"
    finally:
        os.close(loading)
