"""Steps that are interrupted end their run; steps that fail are tried again; dbt calls end with their step."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from dagster_project.home import REPOSITORY
from dagster_project.interrupted import Retries, ended_with_its_step
from dagster_project.resources import Workspace
from dagster_project.run_lock import hold_run_lock

RUN_WITHOUT_INTERRUPTS = """
import datetime as dt, signal, sys
from pathlib import Path
from dagster_project.cli_run import run_week
from dagster_project.home import Home
from models_ml.errors import InputError
before = signal.getsignal(signal.SIGTERM)
try:
    run_week(Home(Path(sys.argv[1])), dt.date(2026, 11, 23))
except InputError:
    print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, before, signal.getsignal(signal.SIGTERM) == before)
"""


def tries_of(step: Callable[[], None]) -> tuple[int, list[str]]:
    """How often a step of two tries was begun, and the errors of its run."""
    tries = []

    @dg.op(retry_policy=Retries(max_retries=1))
    def once_more() -> None:
        tries.append(1)
        step()

    @dg.job(executor_def=dg.in_process_executor)
    def run() -> None:
        once_more()

    result = run.execute_in_process(raise_on_error=False)
    assert not result.success
    errors = [getattr(event.event_specific_data, "error", None) for event in result.all_events]
    return len(tries), [error.cls_name for error in errors if error is not None]


def fail() -> None:
    raise OSError("busy")


def interrupt() -> None:
    raise dg.DagsterExecutionInterruptedError


def press_keys() -> None:
    raise KeyboardInterrupt


def interrupt_in_vain() -> None:
    """As Dagster does where dbt doesn't end in time."""
    try:
        interrupt()
    except dg.DagsterExecutionInterruptedError:
        subprocess.run([sys.executable, "-c", "import time; time.sleep(60)"], timeout=0.01)


def test_a_step_that_fails_is_tried_again() -> None:
    assert tries_of(fail)[0] == 2


@pytest.mark.parametrize("step", [interrupt, press_keys, interrupt_in_vain])
def test_an_interrupted_step_is_not_begun_again(step: Callable[[], None]) -> None:
    tries, errors = tries_of(step)
    assert tries == 1
    assert set(errors) & {"DagsterExecutionInterruptedError", "KeyboardInterrupt"}


def test_what_a_step_started_does_not_outlive_it() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with pytest.raises(OSError, match="busy"), ended_with_its_step(SimpleNamespace(process=process)):  # type: ignore[arg-type]
        fail()
    assert process.returncode == -9


def test_what_ended_by_itself_is_left_alone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    with ended_with_its_step(SimpleNamespace(process=process)):  # type: ignore[arg-type]
        process.wait()
    assert process.returncode == 0


class SignalAtAnObservation(logging.Handler):
    """Sends this process SIGTERM when Dagster tells of an observation: its step is between two events."""

    def emit(self, record: logging.LogRecord) -> None:
        if "ASSET_OBSERVATION" in record.getMessage():
            os.kill(os.getpid(), signal.SIGTERM)


@dg.logger
def signalling(context: dg.InitLoggerContext) -> logging.Logger:
    logger = logging.Logger("signalling", logging.DEBUG)
    logger.addHandler(SignalAtAnObservation())
    return logger


def test_an_interrupt_between_two_events_ends_dbt_before_the_lock_is_given_back(tmp_path: Path) -> None:
    held: list[AbstractContextManager[object]] = []  # as what a step left is, until Python clears it away
    processes = []

    @dg.op
    def observes(workspace: Workspace) -> Iterator[dg.AssetObservation | dg.Output[None]]:
        processes.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))
        held.append(ended_with_its_step(SimpleNamespace(process=processes[0])))  # type: ignore[arg-type]
        held[0].__enter__()
        yield dg.AssetObservation("between")
        yield dg.Output(None)

    @dg.job(
        executor_def=dg.in_process_executor,
        logger_defs={"signalling": signalling},
        resource_defs={"workspace": Workspace(home=str(tmp_path))},
    )
    def run() -> None:
        observes()

    result = run.execute_in_process(raise_on_error=False, run_config={"loggers": {"signalling": {}}})
    assert not result.success
    assert processes[0].returncode == -9
    said: list[str] = []
    with hold_run_lock(tmp_path, said.append):
        assert said == []


def test_a_run_leaves_sigterm_as_it_was_where_interrupts_are_ignored(tmp_path: Path) -> None:
    run = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", RUN_WITHOUT_INTERRUPTS, str(tmp_path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.splitlines()[-1:] == ["True 0 True"], run.stderr
