"""Million Playlist slices: playlists as listeners, their tracks as what they added."""

import json
from pathlib import Path
from typing import Any

import pytest

from models_ml.errors import InputError
from models_ml.importers.history import import_history
from models_ml.importers.report import ImportReport
from tests.models_ml.importers.exports import compressed, landed, playlist_of, write_json, zipped

INFO = {"generated_on": "2017-12-03", "slice": "0-999", "version": "v1"}


def imported(folder: Path, playlists: Any, indent: int | None = 4) -> ImportReport:
    write_json(folder / "in" / "mpd.slice.0-999.json", {"info": INFO, "playlists": playlists}, indent)
    return import_history("playlists-mpd", [folder / "in"], folder / "landing")


def test_a_playlist_lands_as_a_listener_who_added_its_tracks(tmp_path: Path) -> None:
    playlist = playlist_of(7, ["Sinnerman", "Feeling Good"], name="sunday", description="slow")
    imported(tmp_path, [playlist])
    landing = tmp_path / "landing"
    at = "2026-02-25T06:13:20+00:00"
    assert landed(landing, "playlists") == [
        {"playlist_id": "mpd:7", "title": "sunday", "description": "slow", "owner_id": "mpd:7", "updated_at": at}
    ]
    assert landed(landing, "playlist_tracks") == [
        {"playlist_id": "mpd:7", "track_id": f"spotify:{title}", "position": position, "added_at": at}
        for position, title in ((1, "Sinnerman"), (2, "FeelingGood"))
    ]
    events = landed(landing, "events")
    assert {(event["user_id"], event["event_type"], event["occurred_at"]) for event in events} == {
        ("mpd:7", "playlist_add", at)
    }
    tracks = landed(landing, "tracks")
    assert [(track["track_id"], track["duration_ms"]) for track in tracks] == [
        ("spotify:Sinnerman", 200_000),
        ("spotify:FeelingGood", 200_000),
    ]


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_slices_are_read_however_they_are_indented(tmp_path: Path, indent: int | None) -> None:
    playlists = [playlist_of(pid, [f"Song {{[{pid}\\", '"]}']) for pid in range(50)]
    report = imported(tmp_path, playlists, indent)
    assert report.rows_written == {"tracks": 51, "playlists": 50, "playlist_tracks": 100, "events": 100}


def test_what_is_no_track_of_a_playlist_is_counted_under_its_own_name(tmp_path: Path) -> None:
    broken = playlist_of(2, ["Sinnerman"])
    broken["tracks"] += [{"pos": 1}, "a track", {**broken["tracks"][0], "track_uri": ["x"]}]
    undated = playlist_of(3, ["Sinnerman", "Feeling Good"], modified_at=None)
    report = imported(tmp_path, [playlist_of(1, ["Sinnerman"]), broken, undated, {"name": "no pid"}])
    assert report.skipped == {"no_track": 3, "unreadable_time": 2, "unreadable_playlist": 1}
    assert report.rows_read == 1 + 4 + 2 + 1
    assert [row["playlist_id"] for row in landed(tmp_path / "landing", "playlists")] == ["mpd:1", "mpd:2"]


def test_a_playlist_without_a_name_still_is_a_listener(tmp_path: Path) -> None:
    report = imported(tmp_path, [playlist_of(1, ["Sinnerman"], name=" ")])
    assert "playlists" not in report.rows_written
    assert report.rows_written["events"] == 1


def test_the_zip_of_the_data_set_is_read_slice_by_slice(tmp_path: Path) -> None:
    slices = {
        f"data/mpd.slice.{1000 * n}-{1000 * n + 999}.json": json.dumps(
            {"info": INFO, "playlists": [playlist_of(n, ["Sinnerman"])]}
        ).encode()
        for n in range(3)
    }
    path = zipped(tmp_path / "spotify_million_playlist_dataset.zip", {**slices, "README.md": b"", "src/stats.py": b""})
    report = import_history("playlists-mpd", [path], tmp_path / "landing")
    assert report.rows_written == {"tracks": 1, "playlists": 3, "playlist_tracks": 3, "events": 3}
    assert len(report.ignored_files) == 2


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_compressed_slice_is_read(tmp_path: Path, compression: str) -> None:
    plain = write_json(tmp_path / "mpd.slice.0-999.json", {"playlists": [playlist_of(1, ["Sinnerman"])]})
    assert import_history("playlists-mpd", [compressed(plain, compression)], tmp_path / "l").rows_written["events"] == 1


def test_a_truncated_slice_is_named_and_nothing_of_it_lands(tmp_path: Path) -> None:
    imported(tmp_path, [playlist_of(pid, ["Sinnerman"]) for pid in range(10)])
    path = tmp_path / "in" / "mpd.slice.0-999.json"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"mpd\.slice\.0-999\.json: ends in the middle, after [\d,]+ bytes"):
        import_history("playlists-mpd", [path], tmp_path / "other")
    assert landed(tmp_path / "other", "events") == []


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ({"info": INFO}, "expected a slice of the Million Playlist Dataset"),
        ([{"pid": 1}], "expected a slice of the Million Playlist Dataset"),
        ({"playlists": [{"name": "x"}]}, "no playlist has a pid and tracks"),
    ],
)
def test_a_file_of_another_kind_is_an_error_that_says_what_was_expected(tmp_path: Path, value: Any, match: str) -> None:
    path = write_json(tmp_path / "mpd.slice.0-999.json", value)
    with pytest.raises(InputError, match=match):
        import_history("playlists-mpd", [path], tmp_path / "landing")
