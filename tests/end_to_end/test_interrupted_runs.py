"""Interrupted: one Ctrl-C or SIGTERM ends a run and the dbt it started. Killed: test_killed_runs.py."""

import signal
import time
from pathlib import Path

import duckdb
import pytest

from dagster_project.home import Home
from tests.played import SMALLEST, prepare
from tests.runs import leftovers, start_run

PATIENCE_SECONDS = 120


def wait_for_dbt(home: Home, run: int) -> None:
    """Until the run's dbt call is at its models."""
    said, deadline = home.root / "dbt" / f"run_{run}.log", time.monotonic() + PATIENCE_SECONDS
    while not (said.exists() and "START sql" in said.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_to_the_run_alone_ends_it_and_its_dbt(tmp_path: Path, number: signal.Signals) -> None:
    home, log = Home(tmp_path / "home"), tmp_path / "said.log"
    prepare(SMALLEST, home)
    run = start_run(home, SMALLEST.week, log)
    wait_for_dbt(home, run.pid)
    run.send_signal(number)
    assert run.wait(PATIENCE_SECONDS) == 130, log.read_text()
    assert log.read_text().splitlines()[-1] == "monday-mix: interrupted; run the same command again to go on"
    duckdb.connect(str(home.warehouse)).close()  # no dbt is left that has it open
    assert not home.published.exists()
    assert leftovers(home) == []
