"""Forgetting on a home's files, without a run: files that can't be read, and what lands again later."""

import datetime as dt
import logging
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.cli import main
from dagster_project.forgetting import forget
from dagster_project.home import Home

MOMENT = dt.datetime(2026, 11, 20)
GONE, STAYS = "person-003", "person-004"


def _quiet(line: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Nothing has landed."""
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_a_table_that_cannot_be_read_holds_nothing_up_and_is_named(
    home: Home, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    exports = home.root / "exports"
    (exports / "folder.parquet").mkdir(parents=True)
    pq.write_table(pa.table({"user_id": [GONE, STAYS]}), exports / "z.parquet")
    (exports / "x.parquet").write_bytes((exports / "z.parquet").read_bytes()[:-9])
    (exports / "empty.parquet").touch()
    with caplog.at_level(logging.WARNING, "monday_mix"):
        told = forget(home, frozenset({GONE}), MOMENT, _quiet)
    assert told.user_ids == {GONE}
    assert not (home.root / "forgetting.jsonl").exists()
    assert pq.read_table(exports / "z.parquet")["user_id"].to_pylist() == [STAYS]
    (line,) = caplog.messages
    assert "exports/x.parquet: can't be read" in line
    assert main(["forget", "nobody-001", "--home", str(home.root)]) == 1
    assert "exports/x.parquet: can't be read, so that nobody knows what it holds" in capsys.readouterr().out
