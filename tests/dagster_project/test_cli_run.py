"""What the command line says of a run that failed, and what it leaves in its process; runs are Dagster's own."""

from pathlib import Path

import dagster as dg
import pytest

from dagster_project.cli_run import _explain_failure
from dagster_project.interrupted import Retries
from models_ml.errors import InputError


def _result_of(first_try: Exception, end: Exception) -> dg.ExecuteInProcessResult:
    """A run in which one step fails at its first try and recovers, and the next fails for good."""
    tries = []

    @dg.op(retry_policy=Retries(max_retries=1))
    def recovers() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise first_try
        return 1

    @dg.op
    def fails(before: int) -> None:
        raise end

    @dg.job(executor_def=dg.in_process_executor)
    def run() -> None:
        fails(recovers())

    result = run.execute_in_process(raise_on_error=False)
    assert (len(tries), result.success) == (2, False)
    return result


def test_a_step_that_recovered_is_not_blamed(capsys: pytest.CaptureFixture[str]) -> None:
    _explain_failure(_result_of(OSError("busy"), ValueError("the true cause")), Path("last_run.log"))
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("monday-mix: ")]
    assert lines == ["monday-mix: fails failed: ValueError: the true cause; dbt's words are in last_run.log"]


def test_an_input_that_was_there_the_second_time_is_not_refused(capsys: pytest.CaptureFixture[str]) -> None:
    _explain_failure(_result_of(InputError("tracks: no file"), OSError("disk full")), Path("last_run.log"))
    assert "disk full" in capsys.readouterr().err


def test_an_input_that_ends_the_run_is_the_one_that_is_named() -> None:
    with pytest.raises(InputError, match=r"^users: no file$"):
        _explain_failure(_result_of(OSError("busy"), InputError("users: no file")), Path("last_run.log"))
