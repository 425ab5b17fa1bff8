"""Runs whose process was killed are told as failed; those that work, or of which nothing is known, are left alone."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.cli_run import _instance, run_week
from dagster_project.dead_runs import TAG, process_tags
from dagster_project.definitions import build_defs
from dagster_project.home import REPOSITORY, Home
from dagster_project.run_lock import hold_run_lock
from dagster_project.sensors import runs_that_died
from models_ml.errors import InputError
from tests.worlds import MONDAY

PATIENCE_SECONDS = 60
WORKS = "a step works"
RUN = f"""
import sys, time
from pathlib import Path
import dagster as dg
from dagster_project.cli_run import _instance
from dagster_project.home import Home
from dagster_project.resources import Workspace

@dg.op
def works(workspace: Workspace):
    print("{WORKS}", flush=True)
    time.sleep(120)

@dg.job(executor_def=dg.in_process_executor, resource_defs={{"workspace": Workspace(home=sys.argv[1])}})
def run():
    works()

with _instance(Home(Path(sys.argv[1]))) as instance:
    run.execute_in_process(instance=instance)
"""


@contextlib.contextmanager
def run_of_its_own(home: Home) -> Iterator["subprocess.Popen[str]"]:
    """A run in a process of its own, in a home's history with this repository's settings; it sleeps until killed."""
    command = [sys.executable, "-c", RUN, str(home.root)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def working(home: Home) -> "contextlib.AbstractContextManager[subprocess.Popen[str]]":
    """The same, once its step works."""

    @contextlib.contextmanager
    def once_it_works() -> Iterator["subprocess.Popen[str]"]:
        with run_of_its_own(home) as process:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == WORKS
            yield process

    return once_it_works()


@pytest.fixture(scope="module")
def of_a_killed_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run history in which one process was killed while a step worked; each test has a copy."""
    home = Home(tmp_path_factory.mktemp("killed"))
    with working(home):
        pass
    return home.dagster


@pytest.fixture
def history(of_a_killed_run: Path, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    shutil.copytree(of_a_killed_run, Home(tmp_path).dagster)
    with _instance(Home(tmp_path)) as instance:
        yield instance


@pytest.fixture
def killed(history: dg.DagsterInstance) -> str:
    """Id of the run whose process was killed."""
    (run,) = history.get_runs()
    assert run.status == dg.DagsterRunStatus.STARTED
    return run.run_id


@pytest.fixture
def empty_history(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with _instance(Home(tmp_path)) as instance:
        yield instance


def tick(history: dg.DagsterInstance) -> str:
    """What the sensor says when it looks once."""
    result = runs_that_died(dg.build_sensor_context(instance=history))
    assert isinstance(result, dg.SkipReason)
    return result.skip_message or ""


def status(history: dg.DagsterInstance, run_id: str) -> str:
    run = history.get_run_by_id(run_id)
    assert run is not None
    return run.status.value


def test_a_run_that_works_is_left_alone_and_ends_once_it_is_killed(
    empty_history: dg.DagsterInstance, tmp_path: Path
) -> None:
    with working(Home(tmp_path)):
        (run,) = empty_history.get_runs()
        assert tick(empty_history) == "no run's process has died"
        assert status(empty_history, run.run_id) == "STARTED"
    assert tick(empty_history) == f"told as failed: {run.run_id}"
    assert status(empty_history, run.run_id) == "FAILURE"
    told = [record.message for record in empty_history.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)]
    assert len(told) == 1
    assert tick(empty_history) == "no run's process has died"


def test_a_run_that_waits_for_its_home_says_who_it_is_too(empty_history: dg.DagsterInstance, tmp_path: Path) -> None:
    with hold_run_lock(tmp_path, print), run_of_its_own(Home(tmp_path)):
        until = time.monotonic() + PATIENCE_SECONDS
        while not any(TAG in run.tags for run in empty_history.get_runs()) and time.monotonic() < until:
            time.sleep(0.05)
        assert tick(empty_history) == "no run's process has died"
    (run,) = empty_history.get_runs()
    assert run.status == dg.DagsterRunStatus.STARTED
    tick(empty_history)
    assert status(empty_history, run.run_id) == "FAILURE"


def test_the_next_run_of_the_command_line_tells_it(history: dg.DagsterInstance, killed: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no tracks have landed"):
        run_week(Home(tmp_path), MONDAY)
    assert status(history, killed) == "FAILURE"
    assert not history.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))


def test_a_run_that_was_being_cancelled_ends_as_cancelled(history: dg.DagsterInstance, killed: str) -> None:
    run = history.get_run_by_id(killed)
    assert run is not None
    history.report_run_canceling(run)
    tick(history)
    assert status(history, killed) == "CANCELED"


def test_a_run_whose_file_was_cleared_away_is_dead(
    history: dg.DagsterInstance, killed: str, of_a_killed_run: Path
) -> None:
    process_tags(of_a_killed_run)  # who comes next clears away what the dead left
    said = json.loads((history.get_runs()[0]).tags[TAG])
    assert not Path(said["file"]).exists()
    tick(history)
    assert status(history, killed) == "FAILURE"


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "another", "boot": "another"},
        {"host": "another", "boot": ""},
        {"file": "/no/such/folder/file.lock"},
        {"file": None},
    ],
)
def test_what_is_not_known_here_is_left_alone(
    history: dg.DagsterInstance, killed: str, changed: dict[str, str | None]
) -> None:
    run = history.get_run_by_id(killed)
    assert run is not None
    history.add_run_tags(killed, {TAG: json.dumps({**json.loads(run.tags[TAG]), **changed})})
    tick(history)
    assert status(history, killed) == "STARTED"


@pytest.mark.parametrize("said", ["", "not JSON", "[]"])
def test_a_run_that_says_nothing_of_its_process_is_left_alone(
    history: dg.DagsterInstance, killed: str, said: str
) -> None:
    history.add_run_tags(killed, {TAG: said})
    tick(history)
    assert status(history, killed) == "STARTED"


def test_a_container_made_anew_on_the_same_machine_knows_its_dead(history: dg.DagsterInstance, killed: str) -> None:
    run = history.get_run_by_id(killed)
    assert run is not None
    said = json.loads(run.tags[TAG])
    if not said["boot"]:
        pytest.skip("only Linux tells one start of a machine from another")
    history.add_run_tags(killed, {TAG: json.dumps({**said, "host": "the container before"})})
    tick(history)
    assert status(history, killed) == "FAILURE"


def test_a_process_has_one_file_and_another_where_that_was_deleted(tmp_path: Path) -> None:
    first = process_tags(tmp_path)
    assert process_tags(tmp_path) == first
    shutil.rmtree(tmp_path / "processes")
    second = process_tags(tmp_path)
    assert second != first
    assert Path(json.loads(second[TAG])["file"]).exists()


def test_it_looks_every_minute_from_the_start_and_starts_nothing() -> None:
    sensor = build_defs().get_repository_def().get_sensor_def("runs_that_died")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.minimum_interval_seconds == 60
    assert sensor.targets == []
