"""Spotify's streaming history: which streams land, as what, and under which name the others are left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from models_ml.errors import InputError
from models_ml.importers.history import import_history
from models_ml.importers.options import ImportOptions
from models_ml.importers.report import ImportReport
from tests.models_ml.importers.exports import Row, landed, stream_of, write_json, zipped

URI = "spotify:track:5knuzwU65gJK7IF5yJsuaW"


def imported(folder: Path, rows: list[Any], **options: Any) -> ImportReport:
    write_json(folder / "in" / "Streaming_History_Audio_2026_1.json", rows)
    return import_history("spotify-history", [folder / "in"], folder / "landing", ImportOptions(**options))


def only_event(folder: Path, row: Row) -> Row:
    imported(folder, [row])
    (event,) = landed(folder / "landing", "events")
    return event


def test_a_stream_lands_as_a_play_at_the_moment_it_began(tmp_path: Path) -> None:
    event = only_event(tmp_path, stream_of("Sinnerman", spotify_track_uri=URI, shuffle=True))
    assert len(event.pop("event_id")) == 32
    assert event == {
        "user_id": "me",
        "event_type": "play",
        "occurred_at": "2026-03-01T12:00:00+00:00",  # 12:03:20 less 200 seconds
        "track_id": "spotify:5knuzwU65gJK7IF5yJsuaW",
        "ms_played": 200_000,
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "shuffle": True,
        "device_type": "linux",
        "source": "spotify",
    }


def test_a_track_lands_once_with_its_album_and_without_a_length(tmp_path: Path) -> None:
    imported(tmp_path, [stream_of("Sinnerman", ts=f"2026-03-0{day}T00:00:00Z") for day in (1, 2, 3)])
    (track,) = landed(tmp_path / "landing", "tracks")
    assert track["track_id"].startswith("name:")
    assert (track["title"], track["artist_name"], track["album_title"]) == ("Sinnerman", "Nina Simone", "Pastel Blues")
    assert "duration_ms" not in track


@pytest.mark.parametrize(
    ("changes", "event_type"),
    [
        ({"skipped": True, "ms_played": 29_999}, "skip"),
        ({"skipped": True, "ms_played": 30_000}, "play"),  # the warehouse decides, by the reason and the length
        ({"skipped": False, "ms_played": 5_000, "reason_end": "fwdbtn"}, "play"),
        ({"skipped": None, "ms_played": 5_000}, "play"),
    ],
)
def test_a_stream_is_a_skip_where_spotify_says_so_and_little_was_played(
    tmp_path: Path, changes: Row, event_type: str
) -> None:
    assert only_event(tmp_path, stream_of("Sinnerman", **changes))["event_type"] == event_type


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (stream_of("Sinnerman", incognito_mode=True), "private_session"),
        (stream_of(None, None, episode_name="Episode 1"), "podcast_episode"),
        (stream_of(None, None, spotify_episode_uri="spotify:episode:1"), "podcast_episode"),
        (stream_of(None, None, audiobook_title="A Book"), "audiobook_chapter"),
        (stream_of(None, None), "no_track"),
        (stream_of("Sinnerman", " "), "no_track"),
        (stream_of("Sinnerman", ms_played=None), "unreadable_length"),
        (stream_of("Sinnerman", ms_played=-1), "unreadable_length"),
        (stream_of("Sinnerman", ts="yesterday"), "unreadable_time"),
        (stream_of("Sinnerman", ts=None), "unreadable_time"),
        ("Sinnerman", "unreadable_row"),
    ],
)
def test_what_is_no_play_of_a_track_is_counted_under_its_own_name(tmp_path: Path, row: Any, reason: str) -> None:
    report = imported(tmp_path, [stream_of("Feeling Good"), row])
    assert report.skipped == {reason: 1}
    assert report.rows_read == report.rows_written["events"] + 1 == 2
    assert [track["title"] for track in landed(tmp_path / "landing", "tracks")][:1] == ["Feeling Good"]


def test_the_listener_is_the_one_given_else_the_one_named_else_me(tmp_path: Path) -> None:
    rows = [stream_of("Sinnerman", username="nina"), stream_of("Feeling Good")]
    assert imported(tmp_path / "a", rows).listeners == ("nina", "me")
    assert imported(tmp_path / "b", rows, user="us").listeners == ("us",)


def test_a_zip_of_a_download_is_read_and_what_else_is_in_it_is_named(tmp_path: Path) -> None:
    folder = "Spotify Extended Streaming History"
    path = zipped(
        tmp_path / "my_spotify_data.zip",
        {
            f"{folder}/Streaming_History_Audio_2025_0.json": json.dumps([stream_of("Sinnerman")]).encode(),
            f"{folder}/Streaming_History_Video_2025.json": json.dumps([stream_of("Feeling Good")]).encode(),
            f"{folder}/ReadMeFirst_ExtendedStreamingHistory.pdf": b"%PDF",
            "endsong_0.json": json.dumps([stream_of("Be My Husband", ts="2020-01-01T00:00:00Z")]).encode(),
        },
    )
    report = import_history("spotify-history", [path], tmp_path / "landing")
    assert report.rows_written == {"tracks": 3, "events": 3}
    assert report.ignored_files == (f"{path}: {folder}/ReadMeFirst_ExtendedStreamingHistory.pdf",)


def test_the_history_of_the_account_data_is_read_too(tmp_path: Path) -> None:
    plays = [
        {"endTime": "2026-03-01 12:03", "artistName": "Nina Simone", "trackName": "Sinnerman", "msPlayed": 180_000},
        {"endTime": "2026-03-01 13:00", "podcastName": "A Podcast", "episodeName": "Episode 1", "msPlayed": 1},
    ]
    path = write_json(tmp_path / "StreamingHistory_music_0.json", plays, indent=2)
    report = import_history("spotify-history", [path], tmp_path / "landing")
    (event,) = landed(tmp_path / "landing", "events")
    assert event["occurred_at"] == "2026-03-01T12:00:00+00:00"
    assert report.skipped == {"podcast_episode": 1}


def test_overlapping_downloads_give_an_event_the_same_id(tmp_path: Path) -> None:
    first = [stream_of("Sinnerman"), stream_of("Feeling Good")]
    for name, rows in (("march", first), ("april", [*first, stream_of("Be My Husband")])):
        path = write_json(tmp_path / name / "Streaming_History_Audio_2026.json", rows)
        import_history("spotify-history", [path], tmp_path / "landing")
    ids = [event["event_id"] for event in landed(tmp_path / "landing", "events")]
    assert (len(ids), len(set(ids))) == (2 + 3, 3)


def test_titles_of_any_script_land_as_they_are(tmp_path: Path) -> None:
    titles = ["夜に駆ける", "Für Elise 🎹", 'He said "{[" \\', "Ελλάδα", "سلام", "x\u0000y"]
    imported(tmp_path, [stream_of(title, ms_played=number) for number, title in enumerate(titles)])
    assert [track["title"] for track in landed(tmp_path / "landing", "tracks")] == titles


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("", "expected a JSON array of streams"),
        ("{}", "expected a JSON array of streams"),
        ('[{"name": "x"}]', "no stream has a ts or an endTime"),
        ("artist,track\n", "expected a JSON array of streams"),
    ],
)
def test_a_file_of_another_kind_is_an_error_that_says_what_was_expected(
    tmp_path: Path, content: str, match: str
) -> None:
    path = tmp_path / "endsong_0.json"
    path.write_text(content)
    with pytest.raises(InputError, match=f"endsong_0.json: .*{match}"):
        import_history("spotify-history", [path], tmp_path / "landing")


def test_a_folder_without_any_history_is_an_error(tmp_path: Path) -> None:
    write_json(tmp_path / "in" / "Playlist1.json", {})
    with pytest.raises(InputError, match="nothing in there is a file of spotify-history"):
        import_history("spotify-history", [tmp_path / "in"], tmp_path / "landing")


def test_an_empty_history_lands_nothing(tmp_path: Path) -> None:
    report = imported(tmp_path, [])
    assert (report.rows_read, report.rows_written, report.landed) == (0, {}, ())
