"""Steps that are interrupted end their run; steps that fail are tried again; dbt calls end with their step."""

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import dagster as dg
import pytest

from dagster_project.interrupted import Retries, ended_with_its_step


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
