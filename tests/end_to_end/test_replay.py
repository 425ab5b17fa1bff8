"""Replay: past weeks come out the same from landing files alone, and what changed is found and named."""

import datetime as dt
import json
import shutil
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dagster_project.cli import main
from dagster_project.cli_run import run_week
from dagster_project.home import Home
from dagster_project.manifest import read_manifest
from dagster_project.replay import _begin, chain
from tests.published import query
from tests.worlds import MONDAY, land, land_small_world

WEEKS = [MONDAY - dt.timedelta(weeks=1), MONDAY]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two Mondays: events of the last week landed after the first, and once more, settings changed then."""
    home = Home(tmp_path_factory.mktemp("replay"))
    land_small_world(home.landing)
    history = home.landing / "events" / "history.parquet"
    events = pq.read_table(history)
    history.unlink()
    is_early = pc.less(events["occurred_at"], dt.datetime.combine(WEEKS[0], dt.time()))
    land(home.landing, "events/early.parquet", events.filter(is_early))
    assert run_week(home, WEEKS[0])
    land(home.landing, "events/late.parquet", events.filter(pc.invert(is_early)))
    land(home.landing, "events/late_again.parquet", events.filter(pc.invert(is_early)))
    home.config_file.write_text("[rules]\ntracks_per_artist = 1\n")
    assert run_week(home, WEEKS[1])
    return home


def test_weeks_replayed_from_landing_files_are_the_same(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    given = "select track_id from latest_playlists group by track_id order by count(*) desc, track_id limit 1"
    assert main(["takedown", str(query(home.root, given)[0][0]), "--home", str(home.root)]) == 0
    # What has landed since, and settings of today, are not those weeks'.
    land(home.landing, "events/since.parquet", [{"user_id": "u000", "event_type": "play", "occurred_at": None}])
    home.config_file.write_text("[rules]\ntracks_per_album = 1\n")
    assert main(["replay", "--week", str(WEEKS[1]), "--home", str(home.root)]) == 0
    said = capsys.readouterr().out
    assert "2 weeks (2026-11-16 to 2026-11-23) replayed from landing files: the same" in said
    for week in WEEKS:
        made, again = read_manifest(home, week), read_manifest(Home(home.root / "replay"), week)
        assert made is not None
        assert again is not None
        assert again["tables"] == made["tables"]
        assert again["config_hash"] == made["config_hash"]
        assert again["inputs"] == made["inputs"]
        assert again["takedowns"] == made["takedowns"]
    assert made is not None
    assert len(made["takedowns"]) == 1

    # Begun again it only compares; a week that was otherwise is said where it parts.
    text = home.manifest(WEEKS[1]).read_text()
    try:
        home.manifest(WEEKS[1]).write_text(
            text.replace(made["tables"]["ml/playlist_slots"]["content_hash"], "0" * 64)  # type: ignore[index]
        )
        assert main(["replay", "--week", str(WEEKS[1]), "--home", str(home.root)]) == 1
    finally:
        home.manifest(WEEKS[1]).write_text(text)
    said = capsys.readouterr().out
    assert "2026-11-16: the same" in said
    assert "2026-11-23: parts at ml/playlist_slots" in said
    assert "files, settings, code and packages are as they were" in said


def test_a_changed_byte_is_found_and_named(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    path = home.landing / "events" / "late.parquet"
    before = path.read_bytes()
    try:
        path.write_bytes(before[:100] + bytes([before[100] ^ 1]) + before[101:])
        assert main(["replay", "--week", str(WEEKS[1]), "--home", str(home.root), "--into", str(home.root / "no")]) == 1
        said = capsys.readouterr().out
        assert "landing/events/late.parquet: week 2026-11-23 read content" in said
        assert "1 files are not what was read; nothing was replayed" in said
        path.unlink()
        assert main(["replay", "--week", str(WEEKS[1]), "--home", str(home.root), "--into", str(home.root / "no")]) == 1
        assert "and it is gone" in capsys.readouterr().out
        assert not (home.root / "no").exists()
    finally:
        path.write_bytes(before)


def test_a_week_never_run_can_t_be_replayed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--week", "2026-11-09", "--home", str(home.root)]) == 2
    assert "week 2026-11-09: never completed" in capsys.readouterr().err
    assert main(["replay", "--week", str(MONDAY), "--home", str(home.root), "--into", str(home.root)]) == 2
    assert "that is the home itself" in capsys.readouterr().err


def _files(root: Path) -> dict[Path, bytes]:
    return {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_folder_that_no_replay_has_made_is_left_alone(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another home with weeks of its own, and one whose files have landed and nothing else."""
    with_weeks, landed = tmp_path / "with_weeks", Home(tmp_path / "landed")
    shutil.copytree(home.root, with_weeks, ignore=shutil.ignore_patterns("replay"))
    land_small_world(landed.landing, listeners=2, tracks=30)
    for root in (with_weeks, landed.root):
        before = _files(root)
        assert main(["replay", "--week", str(MONDAY), "--home", str(home.root), "--into", str(root)]) == 2
        said = capsys.readouterr().err
        assert f"--into {root}: not empty, and no replay has made it; name a new or an empty folder" in said
        assert _files(root) == before


def test_a_replay_begun_by_other_code_begins_again_and_keeps_its_lock(home: Home, tmp_path: Path) -> None:
    into = Home(tmp_path / "replay")
    into.root.mkdir()
    manifests = chain(home, WEEKS[0])
    _begin(home, into, manifests)
    for name in ("run.lock", "landing/events/old.csv", "config.toml"):
        (into.root / name).parent.mkdir(parents=True, exist_ok=True)
        (into.root / name).write_text("old")
    into.models(WEEKS[0]).mkdir(parents=True)
    into.manifest(WEEKS[0]).write_text(json.dumps({**manifests[0], "code_hash": "other"}))
    _begin(home, into, manifests)
    assert {path.name for path in into.root.rglob("*") if path.is_file()} == {"run.lock", "made_by_replay"}
