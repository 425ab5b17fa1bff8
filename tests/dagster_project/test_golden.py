"""Golden listeners and approvals on a home's files, without a run."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from dagster_project.cli import BAD_INPUT, main
from dagster_project.golden import (
    APPROVALS,
    GIVEN,
    approve,
    golden_changes,
    golden_listeners,
    is_approved,
    lists_hash,
)
from dagster_project.home import REPOSITORY, Home
from dagster_project.lake import Lake
from dagster_project.run_lock import hold_run_lock
from models_ml.comparison.golden import SLOT_COLUMNS
from models_ml.errors import InputError
from tests.worlds import MONDAY

SCHEMA = pa.schema([(name, pa.int32() if name == "position" else pa.string()) for name in SLOT_COLUMNS])


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    _give(home, "a")
    return home


def _give(home: Home, recording: str) -> None:
    row = dict.fromkeys(SLOT_COLUMNS, recording) | {"user_id": "u1", "position": 1}
    Lake(home.lake).replace_week(GIVEN, MONDAY, pa.Table.from_pylist([row], schema=SCHEMA))


def _name(home: Home, text: str) -> None:
    (home.root / "golden_listeners.txt").write_text(text)


def test_ids_stand_one_a_line_with_remarks(home: Home) -> None:
    assert golden_listeners(home) == []
    _name(home, "# those we know\nu1  # likes jazz\n\n u2\n")
    assert golden_listeners(home) == ["u1", "u2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("u1\nu2\nu1\n", r"golden_listeners\.txt: line 3: 'u1' is there already"),
        ("".join(f"u{number}\n" for number in range(21)), r"line 21: 'u20' is one more than 20"),
    ],
)
def test_a_listener_named_twice_or_one_too_many_is_an_error(home: Home, text: str, words: str) -> None:
    _name(home, text)
    with pytest.raises(InputError, match=words):
        golden_listeners(home)


def test_the_first_week_has_everything_new(home: Home) -> None:
    _name(home, "u1\nnobody\n")
    assert golden_changes(home, MONDAY)["change"].to_pylist() == ["in"]


def test_an_approval_is_for_the_lists_as_they_are(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    _name(home, "u1\n")
    assert not is_approved(home, MONDAY)
    assert main(["approve", "--week", str(MONDAY), "--by", "Ada", "--home", str(home.root)]) == 0
    assert "u1" in capsys.readouterr().out
    assert is_approved(home, MONDAY)
    _give(home, "b")
    assert not is_approved(home, MONDAY)
    _give(home, "a")
    assert is_approved(home, MONDAY), "the same lists again"
    rows = Lake(home.lake).read_week(APPROVALS, MONDAY).to_pylist()
    assert [row["approved_by"] for row in rows] == ["Ada"]


def test_a_week_that_was_never_made_can_t_be_approved(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    week = MONDAY - dt.timedelta(weeks=1)
    assert main(["approve", "--week", str(week), "--home", str(home.root)]) == BAD_INPUT
    assert f"week {week}: no lists" in capsys.readouterr().err


def test_lists_made_while_somebody_looks_are_not_approved(home: Home) -> None:
    shown = lists_hash(home, MONDAY)
    _give(home, "b")
    with pytest.raises(InputError, match=f"lists of {MONDAY}: made anew since they were shown; nothing was approved"):
        approve(home, MONDAY, shown, "Ada", dt.datetime(2026, 11, 23))
    assert not Lake(home.lake).has_week(APPROVALS, MONDAY)


def test_an_approval_that_waits_for_a_run_is_for_what_was_shown(home: Home) -> None:
    """The command shows, waits for the run that holds the home, and finds other lists."""
    _name(home, "u1\n")
    command = [sys.executable, "-m", "dagster_project.cli", "approve", "--week", str(MONDAY), "--home", str(home.root)]
    with hold_run_lock(home.root, print):
        waiting = subprocess.Popen(
            command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert waiting.stdout is not None
        assert any(line.startswith("u1") for line in iter(waiting.stdout.readline, ""))
        _give(home, "b")
    _, said = waiting.communicate(timeout=120)
    assert waiting.returncode == BAD_INPUT
    assert "made anew since they were shown" in said
    assert not is_approved(home, MONDAY)
