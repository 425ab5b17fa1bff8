"""A change tried in the shadow of a week: what is harmless passes, what is worse is stopped, publication stays."""

import datetime as dt
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dagster_project.cli import main
from dagster_project.cli_run import run_week
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest
from dagster_project.recipe import SEED
from tests.published import query
from tests.worlds import MONDAY, land_small_world

# The lists of FIRST are scored by what was found until SECOND; what is changed is changed for MONDAY.
SECOND = MONDAY - dt.timedelta(weeks=1)
FIRST = SECOND - dt.timedelta(weeks=4)
SETTINGS = "[collaborative]\nfactors = 16\n[evaluation]\nease_max_recordings = 0\n[gate]\nrequires_comparison = true\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two Mondays of listeners who hear much that they don't love, skip most of it, and save none of what they skip."""
    home = Home(tmp_path_factory.mktemp("compare") / "home")
    home.prepare()
    land_small_world(home.landing, plays=60, until=SECOND, loved=0.6, skipped=0.9)
    _save_nothing_left_early(home.landing / "events" / "history.parquet")
    home.config_file.write_text(SETTINGS)
    assert run_week(home, FIRST)
    assert run_week(home, SECOND)
    return home


def _save_nothing_left_early(path: Path) -> None:
    events = pq.read_table(path)
    kind = pc.if_else(pc.less(events["ms_played"], 30_000), "play", events["event_type"])
    pq.write_table(events.set_column(events.schema.get_field_index("event_type"), "event_type", kind), path)


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights in which a skip speaks for a track."""
    path = tmp_path_factory.mktemp("weights") / "turned.csv"
    lines = SEED.read_text().splitlines()
    path.write_text("\n".join(line.replace(",-1,", ",1,") if ",skip," in line else line for line in lines) + "\n")
    return path


def _compare(home: Home, *more: str) -> int:
    return main(["compare", "--week", str(SECOND), "--home", str(home.root), *more])


def test_a_skip_weight_with_its_sign_turned_is_stopped(
    home: Home, turned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = home.published.read_bytes()
    assert _compare(home, "--weights", str(turned)) == 1
    said = capsys.readouterr().out
    assert "skip in chosen: sign -1 -> 1" in said
    assert "gate.most_ndcg_loss: ndcg_kept is -0." in said
    assert "failed: this change is not for publication" in said
    rows = Lake(home.lake).read_week("comparisons/made", SECOND).to_pylist()
    loss = next(row for row in rows if row["metric"] == "ndcg_kept" and row["segment"] == "all")
    assert loss["lists_of"] == FIRST
    assert loss["ci_high"] < 0, "the loss is real, whatever the threshold"
    assert home.published.read_bytes() == before

    # Asked again, what was made is not made again.
    made = {path: path.stat().st_mtime_ns for path in home.comparisons.glob("*/shadow_is_made")}
    assert len(made) == 2
    assert _compare(home, "--weights", str(turned)) == 1
    assert capsys.readouterr().out == said
    assert {path: path.stat().st_mtime_ns for path in home.comparisons.glob("*/shadow_is_made")} == made

    # Published with it all the same? The week is held up, and what is published stays.
    home.event_weights.write_text(turned.read_text())
    try:
        assert not run_week(home, MONDAY)
    finally:
        home.event_weights.unlink()
    assert "no comparison passed" in capsys.readouterr().err
    assert home.published.read_bytes() == before
    assert read_manifest(home, MONDAY) is None


def test_a_harmless_change_passes_and_is_published_with_its_comparison(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overlay = tmp_path / "longer.toml"
    overlay.write_text("[weighting]\nhalf_life_scale = 1.1\n[gate]\nmost_ndcg_loss = 0.0\nleast_overlap = 1.0\n")
    assert _compare(home, "--with", str(overlay)) == 0, "the home's thresholds hold, not the candidate's"
    assert "passed: within all thresholds of [gate]" in capsys.readouterr().out

    # A person has a word too: until somebody has approved the lists, last week's stay.
    home.config_file.write_text(f"{SETTINGS}requires_approval = true\n")
    (home.root / "golden_listeners.txt").write_text("u000  # loves jazz\n")
    assert not run_week(home, MONDAY, overlay)
    assert f"look at `monday-mix approve --week {MONDAY}`" in capsys.readouterr().err
    assert query(home.root, "select max(week) from weekly_playlists") == [(SECOND,)]
    assert main(["approve", "--week", str(MONDAY), "--home", str(home.root)]) == 0
    assert "u000" in capsys.readouterr().out
    assert run_week(home, MONDAY, overlay)
    assert query(home.root, "select max(week) from weekly_playlists") == [(MONDAY,)]
    made = query(
        home.root,
        "select distinct week, compared_week, changed, verdict from config_comparisons where week = ?",
        MONDAY,
    )
    assert (MONDAY, SECOND, "weighting.half_life_scale 1.0 -> 1.1", "passed") in made
    assert [row[-1] for row in made if "skip" in str(row[2])] == ["failed"]
