"""A week that was made again and held up: what nobody was given stays unpublished, whoever publishes meanwhile."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dagster_project.cli import BAD_INPUT, main
from dagster_project.held_up import is_held_up
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest
from tests.played import FEW_FACTORS, PUBLISHED, played
from tests.published import published_tables, query

MONDAY = PUBLISHED.week
NEXT = MONDAY + dt.timedelta(weeks=1)
GONE = "u003"


def _call(home: Home, *arguments: str) -> int:
    return main([*arguments, "--home", str(home.root)])


def _of_everyone_else(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.not_equal(rows["user_id"], GONE)) if "user_id" in rows.column_names else rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Published, then made again by other rules that wait for an approval."""
    home = played(PUBLISHED, tmp_path_factory, tmp_path_factory.mktemp("held_up") / "home")[0]
    home.config_file.write_text(f"{FEW_FACTORS}[rules]\ntracks_per_artist = 1\n[gate]\nrequires_approval = true\n")
    given = home.published.read_bytes()
    assert _call(home, "run", "--week", str(MONDAY)) == 1
    assert home.published.read_bytes() == given
    assert is_held_up(home, MONDAY)
    return home


def _copy(home: Home, place: Path) -> Home:
    shutil.copytree(home.root, place, symlinks=True)
    return Home(place)


def _refused(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    track = query(home.root, "select track_id from latest_playlists group by 1 order by count(*) desc, 1 limit 1")[0][0]
    given, slots = home.published.read_bytes(), Lake(home.lake).content_hash("ml/playlist_slots", MONDAY)
    assert _call(home, "takedown", str(track)) == BAD_INPUT
    said = capsys.readouterr().err
    assert f"week {MONDAY} was made again and not published" in said
    assert "no list was changed" in said
    assert len(list((home.landing / "overrides").iterdir())) == 1
    assert home.published.read_bytes() == given
    assert Lake(home.lake).content_hash("ml/playlist_slots", MONDAY) == slots


def test_a_takedown_lands_and_changes_no_list(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    _refused(home, capsys)


def test_who_is_forgotten_leaves_the_lists_that_were_given_and_those_alone_are_published(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    without = _copy(home, tmp_path / "home")
    given, manifest = published_tables(home.root, MONDAY), read_manifest(home, MONDAY) or {}
    assert GONE in given["weekly_playlists"]["user_id"].to_pylist()
    assert _call(without, "forget", GONE) == 0, "nothing of theirs is found"
    for name, rows in published_tables(without.root, MONDAY).items():
        assert rows.equals(_of_everyone_else(given[name])), name
    amended = read_manifest(without, MONDAY) or {}
    assert (amended["redacted"], amended["tables"]) == (True, manifest["tables"])
    assert is_held_up(without, MONDAY), "no manifest vouches for lists that nobody was given"
    capsys.readouterr()
    _refused(without, capsys)

    # Run to its end it is a week like any other.
    without.config_file.write_text(FEW_FACTORS)
    assert _call(without, "run", "--week", str(MONDAY)) == 0
    assert not is_held_up(without, MONDAY)
    track = query(without.root, "select min(track_id) from latest_playlists")[0][0]
    assert _call(without, "takedown", str(track)) == 0
    assert query(without.root, "select 1 from latest_playlists where track_id = ?", track) == []


def test_a_week_made_before_there_was_a_table_is_forgotten_in_and_run_on_from(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = played(PUBLISHED, tmp_path_factory, tmp_path / "home")[0]
    manifest = read_manifest(home, MONDAY) or {}
    for table in ("marts/experiment_results", "ml/model_metrics", "features/landing_metrics"):
        shutil.rmtree(Lake(home.lake).folder(table, MONDAY))
        manifest["tables"].pop(table, None)
    home.manifest(MONDAY).write_text(json.dumps(manifest))
    assert _call(home, "forget", GONE) == 0
    assert not (home.root / "forgetting.jsonl").exists()
    assert "marts/experiment_results" not in (read_manifest(home, MONDAY) or {})["tables"]
    assert query(home.root, "select 1 from weekly_playlists where user_id = ?", GONE) == []
    assert _call(home, "run", "--week", str(NEXT)) == 0
    assert query(home.root, "select distinct week from weekly_playlists order by 1") == [(MONDAY,), (NEXT,)]
    assert query(home.root, "select 1 from weekly_playlists where user_id = ?", GONE) == []
