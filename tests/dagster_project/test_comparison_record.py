"""The record of comparisons: what it holds, what lets a recipe pass, what a week publishes of it."""

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest

from dagster_project.assets.gate import COMPARISONS, new_comparisons
from dagster_project.cli import BAD_INPUT, main
from dagster_project.comparison_record import has_passed, put_on_record, recorded_comparisons
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.table_schemas import COMPARISONS_SCHEMA, ensure_week
from tests.worlds import MONDAY

BEFORE = MONDAY - dt.timedelta(weeks=1)
COMING = MONDAY + dt.timedelta(weeks=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def _put(home: Home, week: dt.date, verdict: str, candidate: str = "new", baseline: str = "old") -> None:
    texts = {name: name for name in COMPARISONS_SCHEMA.names if COMPARISONS_SCHEMA.field(name).type == pa.string()}
    row = {
        **dict.fromkeys(COMPARISONS_SCHEMA.names),
        **texts,
        "compared_week": week,
        "lists_of": week,
        "recipe_hash": candidate,
        "baseline_recipe_hash": baseline,
        "verdict": verdict,
    }
    put_on_record(home, week, pa.Table.from_pylist([row], schema=COMPARISONS_SCHEMA))


def _commit(home: Home, week: dt.date) -> None:
    home.models(week).mkdir(parents=True)
    home.manifest(week).write_text(json.dumps({"week": str(week)}))


def test_only_a_passed_comparison_of_exactly_these_two_lets_pass(home: Home) -> None:
    assert not has_passed(home, "new", "old")
    _put(home, BEFORE, "failed")
    _put(home, BEFORE, "undecided", candidate="other")
    _put(home, BEFORE, "passed", baseline="older")
    assert not has_passed(home, "new", "old")
    assert not has_passed(home, "other", "old"), "undecided is not passed"
    assert has_passed(home, "new", "older")


def test_the_newest_word_on_a_week_replaces_the_older_one(home: Home) -> None:
    _put(home, BEFORE, "passed")
    _put(home, BEFORE, "failed")
    assert not has_passed(home, "new", "old")
    assert [rows["verdict"].to_pylist() for rows in recorded_comparisons(home).values()] == [["failed"]]


def test_a_comparison_is_published_once_with_the_first_week_after_it(home: Home) -> None:
    _put(home, BEFORE, "passed")
    _put(home, MONDAY, "failed", candidate="other")
    assert new_comparisons(home, BEFORE).num_rows == 0, "made on that week, known after it"
    found = new_comparisons(home, MONDAY)
    assert found["recipe_hash"].to_pylist() == ["new"]
    Lake(home.lake).replace_week(COMPARISONS, MONDAY, found, COMPARISONS_SCHEMA)
    _commit(home, MONDAY)
    assert new_comparisons(home, MONDAY) == found, "run again, the week finds the same"
    assert new_comparisons(home, COMING)["recipe_hash"].to_pylist() == ["other"]


def test_a_week_of_before_comparisons_has_none_and_keeps_what_it_has(home: Home) -> None:
    lake = Lake(home.lake)
    facts = pa.table({"config_hash": ["made then"]})
    lake.replace_week("ml/run_facts", MONDAY, facts)
    ensure_week(lake, MONDAY)
    assert lake.read_week(COMPARISONS, MONDAY) == COMPARISONS_SCHEMA.empty_table()
    assert lake.read_week("ml/run_facts", MONDAY) == facts


def test_what_can_t_be_compared_is_said_in_a_line(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--home", str(home.root)]
    assert main(["compare", *where]) == BAD_INPUT
    assert "no week was ever completed" in capsys.readouterr().err
    assert main(["compare", "--week", str(MONDAY), *where]) == BAD_INPUT
    assert f"week {MONDAY}: never completed" in capsys.readouterr().err
    assert main(["compare", "--with", "no_such.toml", *where]) == BAD_INPUT
    assert "no_such.toml: no such file to compare with" in capsys.readouterr().err
