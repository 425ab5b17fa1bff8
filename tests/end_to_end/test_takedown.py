"""A takedown after publication: the track is gone at once, its slot filled again, and it all holds when run again."""

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import cast

import duckdb
import pytest

from dagster_project.assets.warehouse import FEATURE_TABLES
from dagster_project.cli import BAD_INPUT, main
from dagster_project.home import REPOSITORY, Home
from dagster_project.manifest import read_manifest, stale_weeks
from dagster_project.takedowns import recorded
from tests.played import FEW_FACTORS, PUBLISHED, played
from tests.published import fingerprint, query
from tests.worlds import land_small_world

PATIENCE_SECONDS = 240
MONDAY = PUBLISHED.week
NEXT = MONDAY + dt.timedelta(weeks=1)


def _run(home: Home, week: dt.date = MONDAY) -> int:
    return main(["run", "--week", str(week), "--home", str(home.root)])


def _take_down(home: Home, *arguments: str) -> int:
    return main(["takedown", *arguments, "--home", str(home.root)])


def _lists(home: Home) -> dict[str, list[dict[str, object]]]:
    with duckdb.connect(str(home.published), read_only=True) as connection:
        rows = connection.execute(
            "select * from weekly_playlist_tracks where week = ? order by user_id, position", [MONDAY]
        ).to_arrow_table()
    lists: dict[str, list[dict[str, object]]] = {}
    for row in rows.to_pylist():
        lists.setdefault(row["user_id"], []).append(row)
    return lists


def _most_given(home: Home, column: str) -> str:
    row = query(home.root, f"select {column} from weekly_playlist_tracks group by 1 order by count(*) desc, 1 limit 1")
    return str(row[0][0])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return played(PUBLISHED, tmp_path_factory, tmp_path_factory.mktemp("takedown") / "home")[0]


def _copy(home: Home, place: Path) -> Home:
    shutil.copytree(home.root, place, symlinks=True)
    return Home(place)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody-knows-it"], f"track nobody-knows-it: not known on Monday {MONDAY}; nothing was taken down"),
        (["t0001", "--artist"], f"artist t0001: not known on Monday {MONDAY}; nothing was taken down"),
        (["t0001", "--from", "2026-12-01", "--to", "2026-11-01"], "it would never hold"),
    ],
)
def test_what_cannot_be_taken_down_changes_nothing(
    home: Home, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert _take_down(home, *arguments) == BAD_INPUT
    assert said in capsys.readouterr().err
    assert not (home.landing / "overrides").exists()


def test_before_anything_is_published_there_is_nothing_to_take_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _take_down(Home(tmp_path), "t0001") == BAD_INPUT
    assert "nothing is published yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_takedown_that_holds_later_lands_and_changes_no_list(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = _copy(home, tmp_path / "home")
    before = fingerprint(later.root, MONDAY)
    assert _take_down(later, _most_given(later, "track_id"), "--from", "2999-01-01") == 0
    assert "it doesn't hold now, so no list was changed" in capsys.readouterr().out
    assert [path.suffix for path in (later.landing / "overrides").iterdir()] == [".csv"]
    assert fingerprint(later.root, MONDAY) == before


def test_a_takedown_killed_at_any_step_is_completed_by_the_next_call(home: Home, tmp_path: Path) -> None:
    track = _most_given(home, "track_id")
    whole = _copy(home, tmp_path / "whole")
    assert _take_down(whole, track) == 0
    expected, manifest = fingerprint(whole.root, MONDAY), read_manifest(whole, MONDAY)
    for step in ("landing/overrides", "lake/ml/relaxations", "lake/ml/playlist_slots", "lake/marts/weekly_playlists"):
        killed = _copy(home, tmp_path / "killed")
        _kill_once_written(killed, track, killed.root / step)
        assert query(killed.root, "select count(*) from weekly_playlist_tracks where is_refill") == [(0,)]
        assert (read_manifest(killed, MONDAY) or {})["takedowns"] == []
        assert _take_down(killed, track) == 0
        assert fingerprint(killed.root, MONDAY) == expected
        assert read_manifest(killed, MONDAY) == manifest
        shutil.rmtree(killed.root)


def _kill_once_written(home: Home, track: str, folder: Path) -> None:
    """Start the command and kill it and its children as soon as a file below the folder is new."""
    before = _newest(folder)
    command = [sys.executable, "-m", "dagster_project.cli", "takedown", track, "--home", str(home.root)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, start_new_session=True)
    give_up = time.monotonic() + PATIENCE_SECONDS
    while _newest(folder) == before and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def _newest(folder: Path) -> int:
    return max((path.stat().st_mtime_ns for path in folder.rglob("*") if path.name[0] != "."), default=0)


@pytest.fixture(scope="module")
def taken(home: Home, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, str]:
    """A home whose most given track was taken down, and that track."""
    track, mended = _most_given(home, "track_id"), _copy(home, tmp_path_factory.mktemp("taken") / "home")
    assert _take_down(mended, track) == 0
    return mended, track


def test_a_home_that_was_moved_reads_its_own_features(home: Home, taken: tuple[Home, str]) -> None:
    with duckdb.connect(str(taken[0].warehouse), read_only=True) as connection:
        views = connection.execute("select sql from duckdb_views() where list_contains(?, view_name)", [FEATURE_TABLES])
        assert [sql for (sql,) in views.fetchall() if str(home.root) in sql] == []


def test_the_slot_is_filled_again_and_all_else_stays(
    home: Home, taken: tuple[Home, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mended, track = taken
    before, after = _lists(home), _lists(mended)
    had_it = {user for user, rows in before.items() if any(row["track_id"] == track for row in rows)}
    assert 1 < len(had_it) < len(before)
    for user, rows in before.items():
        for old, new in zip(rows, after[user], strict=True):
            if old["track_id"] == track:
                assert new["track_id"] != track
                assert new["is_refill"]
            else:
                assert new == old
    for user in had_it:
        assert len({row["recording_id"] for row in after[user]}) == 30
        assert sum(row["is_new_artist"] is True for row in after[user]) >= 15
        assert max(Counter(row["artist_id"] for row in after[user]).values()) <= 2
    refilled = next(row for row in after[min(had_it)] if row["is_refill"])
    capsys.readouterr()
    assert main(["why", min(had_it), track, "--home", str(mended.root)]) == 0
    assert main(["why", min(had_it), str(refilled["track_id"]), "--home", str(mended.root)]) == 0
    said = capsys.readouterr().out
    assert f"was taken down after the lists of {MONDAY} were out" in said
    assert "took the place of a track that was taken down" in said
    funnel = "select * from candidate_funnel order by all"
    assert query(home.root, funnel) == query(mended.root, funnel)


def test_the_manifest_names_it_and_the_same_again_changes_nothing(
    home: Home, taken: tuple[Home, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mended, track = taken
    made, manifest = (read_manifest(place, MONDAY) or {} for place in (home, mended))
    assert [row["track_id"] for row in manifest["takedowns"]] == [track]
    assert manifest["hash"] != made["hash"]
    assert manifest["inputs"] == made["inputs"]
    capsys.readouterr()
    assert _take_down(mended, track) == 0
    assert f"taken out of the lists of {MONDAY} before; no list was changed" in capsys.readouterr().out
    assert read_manifest(mended, MONDAY) == manifest


def test_the_week_run_again_is_as_it_was_left_and_the_next_has_read_the_files(
    taken: tuple[Home, str], capsys: pytest.CaptureFixture[str]
) -> None:
    mended, track = taken
    artist = _most_given(mended, "artist_id")
    held = "from weekly_playlist_tracks where track_id = ? or list_contains(artist_ids, ?)"
    lists = query(mended.root, f"select count(distinct user_id) {held}", track, artist)[0][0]
    capsys.readouterr()
    assert _take_down(mended, artist, "--artist") == 0
    assert f"taken out of {lists} lists of {MONDAY}" in capsys.readouterr().out
    assert query(mended.root, f"select count(*) {held}", track, artist) == [(0,)]

    left, manifest = fingerprint(mended.root, MONDAY), read_manifest(mended, MONDAY) or {}
    assert _run(mended) == 0
    assert fingerprint(mended.root, MONDAY) == left
    assert (read_manifest(mended, MONDAY) or {})["hash"] == manifest["hash"]

    assert _run(mended, NEXT) == 0
    assert stale_weeks(mended) == []
    assert query(mended.root, f"select count(*) {held}", track, artist) == [(0,)]
    assert recorded(mended, NEXT) == []


def test_a_slot_that_nothing_fills_leaves_the_list_shorter_and_a_row_that_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    land_small_world(home.landing, listeners=12, tracks=36, plays=2, until=MONDAY)
    home.config_file.write_text(FEW_FACTORS)
    assert _run(home) == 0
    artist = _most_given(home, "artist_id")
    assert _take_down(home, artist, "--artist") == 0
    after = _lists(home)
    assert all([row["position"] for row in rows] == list(range(1, len(rows) + 1)) for rows in after.values())
    assert not any(artist in cast("list[str]", row["artist_ids"]) for rows in after.values() for row in rows)
    told = query(
        home.root, "select user_id, step, limit_from, limit_to from playlist_relaxations where rule_id = 'taken_down'"
    )
    short = {name: len(rows) for name, rows in after.items() if len(rows) < 30}
    assert sorted(told) == sorted((name, 1, 30.0, float(count)) for name, count in short.items())
    assert 0 < len(short) < len(after)
    assert query(
        home.root, "select user_id, track_count from weekly_playlists where track_count < 30 order by 1"
    ) == sorted(short.items())
    assert query(home.root, "select distinct status from weekly_playlists where track_count < 30") == [("relaxed",)]
