"""The sensor on landing: asks once for what has changed and settled, and never waits for a run."""

import datetime as dt
import os
from pathlib import Path

import dagster as dg
import pytest

from dagster_project import keys
from dagster_project.definitions import build_defs
from dagster_project.home import Home
from dagster_project.run_lock import hold_run_lock
from dagster_project.sensors import LandingWatch, new_landing_files
from tests.worlds import land

TRACK = {"track_id": "t", "title": "T", "artist_id": "a", "artist_name": "A"}
NOW_SETTLED = 0.0  # seconds a file has to be left alone


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    return home


def _tick(
    home: Home, cursor: str | None = None, settle_seconds: float = NOW_SETTLED
) -> dg.SensorResult | dg.SkipReason:
    watch = LandingWatch(home=str(home.root), settle_seconds=settle_seconds)
    with dg.build_sensor_context(cursor=cursor, resources={"landing_watch": watch}) as context:
        result = new_landing_files(context)
    assert isinstance(result, dg.SensorResult | dg.SkipReason)
    return result


def _request(home: Home, cursor: str | None = None) -> tuple[dg.RunRequest, str]:
    result = _tick(home, cursor)
    assert isinstance(result, dg.SensorResult)
    assert result.cursor
    (request,) = result.run_requests or []
    return request, result.cursor


def _skipped(result: object) -> str:
    assert isinstance(result, dg.SkipReason)
    return result.skip_message or ""


def test_an_empty_landing_folder_asks_for_nothing(home: Home) -> None:
    assert _skipped(_tick(home)) == f"no file lies in {home.landing}"


def test_what_landed_is_read_for_the_coming_monday(home: Home) -> None:
    land(home.landing, "tracks/one.parquet", [TRACK])
    request, _ = _request(home)
    today = dt.datetime.now(dt.UTC).date()
    assert request.partition_key == (today + dt.timedelta(days=7 - today.weekday())).isoformat()
    assert request.partition_key == keys.WEEKLY.get_last_partition_key()
    assert request.tags == {"monday_mix/files": "1", "monday_mix/unreadable_files": "0"}


def test_the_same_files_are_asked_for_once_and_a_new_one_again(home: Home) -> None:
    land(home.landing, "tracks/one.parquet", [TRACK])
    first, cursor = _request(home)
    assert "nothing has changed among the 1 files" in _skipped(_tick(home, cursor))
    land(home.landing, "tracks/two.parquet", [TRACK])
    second, later = _request(home, cursor)
    assert (first.run_key == second.run_key, cursor == later) == (False, False)
    assert second.tags["monday_mix/files"] == "2"


@pytest.mark.parametrize("change", ["edited", "renamed", "removed"])
def test_every_change_counts(home: Home, change: str) -> None:
    path = land(home.landing, "tracks/one.parquet", [TRACK])
    land(home.landing, "tracks/two.parquet", [TRACK, TRACK])
    _, cursor = _request(home)
    if change == "edited":
        land(home.landing, "tracks/one.parquet", [TRACK, TRACK, TRACK])
    elif change == "renamed":
        path.rename(path.with_name("other.parquet"))
    else:
        path.unlink()
    assert _request(home, cursor)[1] != cursor


def test_a_file_that_may_still_grow_is_waited_for(home: Home) -> None:
    path = land(home.landing, "tracks/one.parquet", [TRACK])
    words = _skipped(_tick(home, settle_seconds=60))
    assert words.startswith(f"1 of 1 files in {home.landing} changed less than 60 s ago")
    _touch(path, hours=-48)
    assert "less than 60 s ago" in _skipped(_tick(home, settle_seconds=60)), "a copy that kept its old time"
    _touch(path, hours=48)
    assert _request(home)[0].partition_key, "a time ahead of ours holds nothing up"


def _touch(path: Path, hours: int) -> None:
    moment = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)).timestamp()
    os.utime(path, (moment, moment))


def test_hidden_and_unfinished_files_are_nothing_yet_and_misplaced_ones_are_counted(home: Home) -> None:
    for name in ("tracks/.one.parquet", "tracks/two.parquet.part"):
        path = home.landing / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    assert _skipped(_tick(home)) == f"no file lies in {home.landing}"
    land(home.landing, "tracks/one.parquet", [TRACK])
    (home.landing / "notes.txt").write_text("in no dataset's folder")
    tags = _request(home)[0].tags
    assert (tags["monday_mix/files"], tags["monday_mix/unreadable_files"]) == ("2", "1")


def test_a_look_does_not_wait_for_the_run_that_holds_the_lock(home: Home) -> None:
    land(home.landing, "tracks/one.parquet", [TRACK])
    said: list[str] = []
    with hold_run_lock(home.root, said.append):
        assert _request(home)
    assert said == []


def test_it_is_off_until_someone_switches_it_on_and_starts_the_job_that_only_reads() -> None:
    sensor = build_defs().get_repository_def().get_sensor_def("new_landing_files")
    assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
    assert sensor.job_name == "intake"
    assert sensor.minimum_interval_seconds == 60


def test_the_run_it_asks_for_reads_the_files_and_publishes_nothing(home: Home) -> None:
    land(home.landing, "tracks/one.parquet", [TRACK])
    land(home.landing, "play_counts/one.parquet", [{"user_id": "u", "track_id": "t", "play_count": 1}])
    broken = home.landing / "events" / "broken.parquet"
    broken.parent.mkdir()
    broken.write_bytes(b"no Parquet")
    week = _request(home)[0].partition_key
    job = build_defs(str(home.root)).resolve_job_def("intake")
    result = job.execute_in_process(partition_key=week)
    (event,) = result.asset_materializations_for_node("landing__files")
    assert (event.metadata["dagster/row_count"].value, event.metadata["unreadable_files"].value) == (3, 1)
    assert len(list((home.intake / "tracks").glob("[!_]*.parquet"))) == 1
    assert not home.published.exists()
    assert not list((home.root / "models").iterdir())
