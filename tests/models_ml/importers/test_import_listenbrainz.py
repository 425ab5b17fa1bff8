"""ListenBrainz listens: one listener's export and a dump of all, packed in every way they come."""

import json
from pathlib import Path
from typing import Any

import pytest

from models_ml.errors import InputError
from models_ml.importers.history import import_history
from models_ml.importers.options import ImportOptions
from models_ml.importers.report import ImportReport
from tests.models_ml.importers.exports import Row, compressed, landed, listen_of, packed_in, tarred, write_lines, zipped

MBID = "11111111-2222-3333-4444-555555555555"
OTHER_MBID = "aaaaaaaa-2222-3333-4444-555555555555"


def imported(folder: Path, rows: list[Any], **options: Any) -> ImportReport:
    path = write_lines(folder / "1.listens", rows)
    return import_history("listenbrainz", [path], folder / "landing", ImportOptions(**options))


def only_track(folder: Path, row: Row) -> Row:
    imported(folder, [row])
    (track,) = landed(folder / "landing", "tracks")
    return track


def test_a_listen_lands_as_a_play_at_its_moment(tmp_path: Path) -> None:
    imported(tmp_path, [listen_of("Sinnerman", at=1_772_366_400, user_name="ann", mapping={"recording_mbid": MBID})])
    (event,) = landed(tmp_path / "landing", "events")
    assert len(event.pop("event_id")) == 32
    assert event == {
        "user_id": "ann",
        "event_type": "play",
        "occurred_at": "2026-03-01T12:00:00+00:00",
        "track_id": f"mbid:{MBID}",
        "source": "listenbrainz",
    }


def test_the_mapping_goes_before_what_a_player_sent(tmp_path: Path) -> None:
    row = listen_of("Sinnerman", info={"recording_mbid": OTHER_MBID}, mapping={"recording_mbid": MBID})
    assert only_track(tmp_path, row)["recording_id"] == f"mbid:{MBID}"


def test_a_spotify_id_is_the_tracks_and_the_mbid_its_recordings(tmp_path: Path) -> None:
    info = {"spotify_id": "https://open.spotify.com/track/abc", "recording_mbid": MBID.upper(), "isrc": "USABC1234567"}
    track = only_track(tmp_path, listen_of("Sinnerman", info=info))
    assert (track["track_id"], track["recording_id"], track["isrc"]) == ("spotify:abc", f"mbid:{MBID}", "USABC1234567")


@pytest.mark.parametrize(
    ("info", "length"),
    [
        ({"duration_ms": 200_500}, 200_500),
        ({"duration": 200}, 200_000),
        ({"duration_ms": "200500"}, 200_500),
        ({"duration_ms": 0, "duration": 200}, 200_000),
        ({"duration_ms": -1}, None),
        ({"duration_ms": "long"}, None),
        ({}, None),
    ],
)
def test_a_length_may_come_in_seconds_or_milliseconds(tmp_path: Path, info: Row, length: int | None) -> None:
    assert only_track(tmp_path, listen_of("Sinnerman", info=info)).get("duration_ms") == length


def test_a_length_that_comes_later_is_landed_and_one_that_goes_missing_again_is_not_forgotten(tmp_path: Path) -> None:
    infos: list[Row] = [{}, {"duration_ms": 200_000}, {}, {"duration_ms": 200_001}]
    imported(tmp_path, [listen_of("Sinnerman", at=1_772_000_000 + i, info=info) for i, info in enumerate(infos)])
    lengths = [track.get("duration_ms") for track in landed(tmp_path / "landing", "tracks")]
    assert lengths == [None, 200_000], "of several rows the last one holds"


def test_listeners_are_named_by_the_row_else_numbered_else_given(tmp_path: Path) -> None:
    rows = [
        listen_of("Sinnerman", user_name="ann", user_id=1),
        listen_of("Sinnerman", user_id=2),
        listen_of("Sinnerman"),
    ]
    assert imported(tmp_path, rows, user="bo").listeners == ("ann", "2", "bo")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"listened_at": 1}, "no_track"),
        ([1], "no_track"),
        (listen_of(""), "no_track"),
        (listen_of("Sinnerman", artist=None), "no_track"),  # type: ignore[arg-type]
        (listen_of("Sinnerman", at=None), "unreadable_time"),
        (listen_of("Sinnerman", at="soon"), "unreadable_time"),
        (listen_of("Sinnerman", at=1e18), "unreadable_time"),
    ],
)
def test_what_is_no_listen_is_counted_under_its_own_name(tmp_path: Path, row: Any, reason: str) -> None:
    report = imported(tmp_path, [listen_of("Feeling Good"), row])
    assert report.skipped == {reason: 1}
    assert report.rows_read == 2
    assert report.rows_written["events"] == 1


def test_a_line_that_is_no_json_is_counted_and_the_others_land(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "1.listens", [listen_of("Sinnerman"), listen_of("Feeling Good")])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\n\n{broken\n", 1))
    report = import_history("listenbrainz", [path], tmp_path / "landing")
    assert (report.rows_read, dict(report.skipped)) == (3, {"unreadable_row": 1})


def contents() -> dict[str, bytes]:
    listens = {"2025/12": ["Sinnerman"], "2026/1": ["Feeling Good", "Be My Husband"]}
    files = {
        f"listens/{month}.jsonl": "\n".join(json.dumps(listen_of(title)) for title in titles).encode()
        for month, titles in listens.items()
    }
    return {**files, "user.json": b"{}", "feedback.jsonl": b"{}", "README.md": b""}


@pytest.mark.parametrize("packed", ["folder", "zip", "tar", "tar.gz", "tar.zst"])
def test_an_export_lands_the_same_however_it_is_packed(tmp_path: Path, packed: str) -> None:
    path = tmp_path / "export"
    if packed == "folder":
        for name, content in contents().items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(content)
    elif packed == "zip":
        path = zipped(tmp_path / "export.zip", contents())
    else:
        path = packed_in(packed, tmp_path, contents())
    report = import_history("listenbrainz", [path], tmp_path / "landing", ImportOptions(user="ann"))
    titles = [track["title"] for track in landed(tmp_path / "landing", "tracks")]
    assert titles == ["Sinnerman", "Feeling Good", "Be My Husband"]
    assert (len(report.files), len(report.ignored_files)) == (2, 3)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_compressed_listens_are_read_as_they_are(tmp_path: Path, compression: str) -> None:
    plain = write_lines(tmp_path / "1.listens", [listen_of("Sinnerman", at=1_772_000_000 + i) for i in range(1000)])
    report = import_history("listenbrainz", [compressed(plain, compression)], tmp_path / "landing")
    assert report.rows_written == {"tracks": 1, "events": 1000}


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_compressed_file_of_several_parts_is_read_to_its_end(tmp_path: Path, compression: str) -> None:
    first = compressed(write_lines(tmp_path / "a.listens", [listen_of("Sinnerman")]), compression)
    second = compressed(write_lines(tmp_path / "b.listens", [listen_of("Feeling Good")]), compression)
    first.write_bytes(first.read_bytes() + second.read_bytes())
    assert import_history("listenbrainz", [first], tmp_path / "landing").rows_written["events"] == 2


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_a_truncated_file_is_named_and_nothing_of_it_lands(tmp_path: Path, compression: str) -> None:
    rows = [listen_of(f"Song {number * 7919 % 10_007}") for number in range(3000)]
    path = compressed(write_lines(tmp_path / "1.listens", rows), compression)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"1\.listens\.\w+: can't be read .*download or copy it again"):
        import_history("listenbrainz", [path], tmp_path / "landing")
    assert landed(tmp_path / "landing", "events") == []


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    for path in (zipped(tmp_path / "export.zip", contents()), tarred(tmp_path / "export.tar", contents())):
        path.write_bytes(path.read_bytes()[:700])
        with pytest.raises(InputError, match=f"{path.name}.*can't be read"):
            import_history("listenbrainz", [path], tmp_path / "landing")


def test_a_file_of_another_kind_is_an_error_that_says_what_was_expected(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.jsonl", [{"artist": "Nina Simone"}])
    with pytest.raises(InputError, match=r"x\.jsonl: no line is a listen; expected ListenBrainz listens"):
        import_history("listenbrainz", [path], tmp_path / "landing")
