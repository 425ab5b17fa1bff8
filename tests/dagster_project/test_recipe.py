"""What makes lists: settings and weights, by the hash that weeks made alike share; and a shadow before it runs."""

import datetime as dt
import json
from pathlib import Path

import pytest

from dagster_project.checks_gate import beside_the_last_recipe
from dagster_project.configuration import Configuration
from dagster_project.home import Home
from dagster_project.lake import COMMITTED, PART
from dagster_project.recipe import SEED, changes, home_recipe, recipe_of_manifest
from dagster_project.resources import week_configuration
from dagster_project.shadow import _link
from models_ml.errors import InputError
from tests.worlds import MONDAY

BEFORE = MONDAY - dt.timedelta(weeks=1)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def _turned(path: Path) -> Path:
    path.write_text(SEED.read_text().replace("skip,library,-1,0.2,30", "skip,library,1,0.2,45.5"))
    return path


def test_a_recipe_is_the_settings_but_the_gates_and_the_weights(home: Home) -> None:
    plain = home_recipe(home).hash
    home.config_file.write_text("[gate]\nleast_overlap = 0.9\n")
    assert home_recipe(home).hash == plain
    home.event_weights.write_text(SEED.read_text())
    assert home_recipe(home).hash == plain, "a copy of the checked-in weights"
    home.config_file.write_text("[weighting]\nskip_strength = 0.5\n")
    assert home_recipe(home).hash != plain


def test_other_weights_are_another_recipe_and_are_named(home: Home, tmp_path: Path) -> None:
    before, after = home_recipe(home), home_recipe(home, None, _turned(tmp_path / "turned.csv"))
    assert before.hash != after.hash
    assert changes(before, after) == ("skip in library: sign -1 -> 1", "skip in library: half_life_days 30 -> 45.5")


def test_a_manifest_brings_the_weights_of_its_week_back(home: Home, tmp_path: Path) -> None:
    text = _turned(tmp_path / "turned.csv").read_text()
    manifest = {"week": str(MONDAY), "config": Configuration().as_dict(), "event_weights": text}
    found = recipe_of_manifest(manifest, home.comparisons / "weights")
    assert found.hash == home_recipe(home, None, tmp_path / "turned.csv").hash
    found.put(home)
    assert home.event_weights.read_text() == text
    assert home_recipe(home).hash == found.hash
    recipe_of_manifest({**manifest, "event_weights": None}, home.comparisons / "weights").put(home)
    assert not home.event_weights.exists(), "the checked-in ones again"


def test_what_is_wrong_in_a_homes_weights_is_named(home: Home) -> None:
    home.event_weights.write_text(SEED.read_text().replace("skip,library,-1", "skip,library,0"))
    with pytest.raises(InputError, match=r"event_weights\.csv: row 7: sign is '0'; it has to be 1 or -1"):
        home_recipe(home)


def test_a_shadow_has_the_weeks_before_and_nothing_of_its_own_week(home: Home, tmp_path: Path) -> None:
    for week in (BEFORE, MONDAY):
        folder = home.lake / "ml" / "playlist_slots" / f"week={week}"
        folder.mkdir(parents=True)
        (folder / PART).write_text(str(week))
        (folder / COMMITTED).touch()
        home.models(week).mkdir(parents=True)
        (home.models(week) / "index.usearch").write_text("vectors")
        home.manifest(week).write_text(json.dumps({"inputs": [{"path": "events/a.csv"}, {"path": "events/gone.csv"}]}))
    (home.landing / "events").mkdir()
    (home.landing / "events" / "a.csv").write_text("read")
    (home.landing / "events" / "since.csv").write_text("landed since")
    shadow = Home(tmp_path / "shadow")
    _link(home, shadow, MONDAY)
    there = {str(path.relative_to(shadow.root)) for path in shadow.root.rglob("*") if path.is_file()}
    slots = "lake/ml/playlist_slots"
    assert there >= {f"{slots}/week={BEFORE}/{PART}", f"{slots}/week={BEFORE}/{COMMITTED}", "landing/events/a.csv"}
    assert there >= {
        f"models/{BEFORE}/manifest.json",
        f"models/{BEFORE}/index.usearch",
        f"models/{MONDAY}/manifest.json",
    }
    assert not [path for path in there if path.startswith(f"{slots}/week={MONDAY}") or "since" in path]
    assert f"models/{MONDAY}/index.usearch" not in there
    kept = home.lake / "ml" / "playlist_slots" / f"week={BEFORE}" / PART
    assert kept.stat().st_nlink == 2, "a link, not a copy"


def test_a_setting_that_a_release_removed_is_left_out_of_a_manifest_and_named(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    config = {**Configuration().as_dict(), "an_old_part": {"size": 3}}
    config["ranking"] = {**config["ranking"], "an_old_weight": 0.5}
    caplog.set_level("INFO")
    found = recipe_of_manifest({"week": str(MONDAY), "config": config}, home.comparisons / "weights")
    assert found.hash == home_recipe(home).hash
    assert "no longer exist are left out: ranking.an_old_weight, an_old_part.size" in caplog.text
    home.models(MONDAY).mkdir(parents=True)
    home.manifest(MONDAY).write_text(json.dumps({"week": str(MONDAY), "config": config}))
    assert week_configuration(home, MONDAY) == Configuration()
    assert beside_the_last_recipe(home, MONDAY + dt.timedelta(weeks=1), home_recipe(home)).passed


def test_a_file_of_settings_stays_strict(home: Home) -> None:
    home.config_file.write_text("[ranking]\nan_old_weight = 0.5\n")
    with pytest.raises(InputError, match=r"unknown setting ranking\.an_old_weight"):
        home_recipe(home)
