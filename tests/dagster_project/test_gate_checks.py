"""The gate's checks on a week's own tables: what holds it up, what is only told."""

import datetime as dt
import json
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from dagster_project.checks_gate import PLAYLISTS, SLOTS, beside_the_last_recipe, beside_the_week_before
from dagster_project.comparison_record import put_on_record
from dagster_project.configuration import Configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.recipe import SEED, home_recipe
from dagster_project.table_schemas import COMPARISONS_SCHEMA
from tests.worlds import MONDAY

BEFORE = MONDAY - dt.timedelta(weeks=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose week before is committed, made as the home's settings say."""
    home = Home(tmp_path / "home")
    home.prepare()
    home.models(BEFORE).mkdir(parents=True)
    manifest = {"week": str(BEFORE), "config": Configuration().as_dict(), "event_weights": None}
    home.manifest(BEFORE).write_text(json.dumps(manifest))
    return home


def _give(home: Home, week: dt.date, lists: int, popularity: float) -> None:
    playlists = pa.table({"status": ["complete"] * lists, "genre_kl": [0.1] * lists})
    slots = pa.table(
        {
            "recording_id": [f"r{number}" for number in range(lists)],
            "popularity_percentile": [popularity] * lists,
            "is_new_artist": [True] * lists,
        }
    )
    Lake(home.lake).replace_week(PLAYLISTS, week, playlists)
    Lake(home.lake).replace_week(SLOTS, week, slots)


def test_a_week_like_the_one_before_passes_and_so_does_the_first(home: Home) -> None:
    _give(home, MONDAY, 200, 0.5)
    assert beside_the_week_before(home, MONDAY).passed, "the week before left no lists"
    _give(home, BEFORE, 200, 0.55)
    assert beside_the_week_before(home, MONDAY).passed


def test_lists_that_moved_too_far_are_held_up_and_the_number_is_named(home: Home) -> None:
    _give(home, BEFORE, 200, 0.4)
    _give(home, MONDAY, 200, 0.7)
    result = beside_the_week_before(home, MONDAY)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert result.description == "popularity_percentile 0.4 -> 0.7, 150% of what it may move"


def test_lists_that_moved_some_way_are_told_and_let_through(home: Home) -> None:
    _give(home, BEFORE, 200, 0.4)
    _give(home, MONDAY, 200, 0.55)
    result = beside_the_week_before(home, MONDAY)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_few_lists_hold_nothing_up(home: Home) -> None:
    _give(home, BEFORE, 99, 0.4)
    _give(home, MONDAY, 200, 0.7)
    assert beside_the_week_before(home, MONDAY).severity == dg.AssetCheckSeverity.WARN


def test_a_changed_setting_waits_for_a_comparison_where_one_is_asked_for(home: Home) -> None:
    home.config_file.write_text("[weighting]\nskip_strength = 0.5\n")
    changed = home_recipe(home)
    assert beside_the_last_recipe(home, MONDAY, changed).passed, "none is asked for"
    home.config_file.write_text("[gate]\nrequires_comparison = true\n")
    result = beside_the_last_recipe(home, MONDAY, changed)
    assert not result.passed
    assert "weighting.skip_strength 1.0 -> 0.5: no comparison passed" in (result.description or "")
    _put_passed(home, changed.hash, home_recipe(home).hash)
    assert beside_the_last_recipe(home, MONDAY, changed).passed
    assert not beside_the_last_recipe(home, MONDAY, home_recipe(home, _overlay(home))).passed, "another change"


def test_the_gates_own_settings_and_weights_said_otherwise_are_no_change(home: Home) -> None:
    home.config_file.write_text("[gate]\nrequires_comparison = true\nleast_overlap = 0.3\n")
    home.event_weights.write_text(SEED.read_text().replace(",1.0,120,", ",1,120.0,"))
    assert beside_the_last_recipe(home, MONDAY, home_recipe(home)).passed


def test_a_changed_weight_waits_too_and_is_named(home: Home) -> None:
    home.config_file.write_text("[gate]\nrequires_comparison = true\n")
    home.event_weights.write_text(SEED.read_text().replace("skip,chosen,-1,0.4", "skip,chosen,1,0.4"))
    result = beside_the_last_recipe(home, MONDAY, home_recipe(home))
    assert not result.passed
    assert "skip in chosen: sign -1 -> 1" in (result.description or "")


def _overlay(home: Home) -> Path:
    path = home.root / "other.toml"
    path.write_text("[weighting]\nskip_strength = 2.0\n")
    return path


def _put_passed(home: Home, candidate: str, baseline: str) -> None:
    texts = {name: name for name in COMPARISONS_SCHEMA.names if COMPARISONS_SCHEMA.field(name).type == pa.string()}
    row = {**dict.fromkeys(COMPARISONS_SCHEMA.names), **texts, "compared_week": BEFORE, "verdict": "passed"}
    row |= {"recipe_hash": candidate, "baseline_recipe_hash": baseline}
    put_on_record(home, BEFORE, pa.Table.from_pylist([row], schema=COMPARISONS_SCHEMA))
