"""Whatever stands where a value should: every row is landed or counted, and what lands fits the contract."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.importers.history import import_history
from models_ml.importers.report import ImportReport
from models_ml.landing.intake import take_in
from tests.memory import folder_in_memory
from tests.models_ml.importers.exports import Row, listen_of, playlist_of, stream_of, write_json, write_lines

ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.just([])
    | st.just({})
    | st.just(["x", {"y": 1}])
)
ROOM_BYTES = 2**20


def changed(row: Row) -> st.SearchStrategy[Row]:
    """The row with some of its values replaced and some gone."""
    changes = st.dictionaries(st.sampled_from(sorted(row)), ANYTHING, max_size=3)
    gone = st.sets(st.sampled_from(sorted(row)), max_size=2)
    return st.builds(
        lambda new, lost: {name: v for name, v in {**row, **new}.items() if name not in lost}, changes, gone
    )


def changed_listen() -> st.SearchStrategy[Row]:
    info = {"duration_ms": 1, "duration": 1, "spotify_id": "x", "recording_mbid": "x", "isrc": "x"}
    row = listen_of("Sinnerman", user_name="ann", user_id=1)
    metadata = st.builds(
        lambda metadata, info, mapping: {**metadata, "additional_info": info, "mbid_mapping": mapping},
        changed(row["track_metadata"]),
        changed(info) | ANYTHING,
        changed({"recording_mbid": "x"}) | ANYTHING,
    )
    return st.builds(lambda row, metadata: {**row, "track_metadata": metadata}, changed(row), metadata | ANYTHING)


def changed_playlist() -> st.SearchStrategy[Row]:
    playlist = playlist_of(1, ["Sinnerman"])
    tracks = st.lists(changed(playlist["tracks"][0]) | ANYTHING, max_size=3)
    return st.builds(lambda row, tracks: {**row, "tracks": tracks}, changed(playlist), tracks)


def imported(name: str, file_name: str, value: Any) -> ImportReport:
    with folder_in_memory(ROOM_BYTES) as folder:  # every example waits for its files to be safe
        path = folder / file_name
        report = import_history(
            name, [write_lines(path, value) if name == "listenbrainz" else write_json(path, value)], folder / "l"
        )
        taken_in = take_in(folder / "l", folder / "intake", dt.datetime(2026, 11, 23))
        assert [file.error for file in taken_in.files] == [None] * len(report.landed)
    return report


@settings(deadline=None, max_examples=60)
@given(st.lists(changed(stream_of("Sinnerman", username="ann")), min_size=1, max_size=5))
def test_a_stream_of_anything_is_landed_or_counted(rows: list[Row]) -> None:
    report = imported("spotify-history", "endsong_0.json", [stream_of("Feeling Good"), *rows])
    assert report.rows_read == len(rows) + 1 == report.rows_written["events"] + sum(report.skipped.values())


@settings(deadline=None, max_examples=60)
@given(st.lists(changed_listen(), min_size=1, max_size=5))
def test_a_listen_of_anything_is_landed_or_counted(rows: list[Row]) -> None:
    report = imported("listenbrainz", "1.listens", [listen_of("Feeling Good"), *rows])
    assert report.rows_read == len(rows) + 1 == report.rows_written["events"] + sum(report.skipped.values())


@settings(deadline=None, max_examples=60)
@given(st.lists(changed_playlist(), min_size=1, max_size=3))
def test_a_playlist_of_anything_is_landed_or_counted(playlists: list[Row]) -> None:
    value = {"playlists": [playlist_of(9, ["Feeling Good"]), *playlists]}
    report = imported("playlists-mpd", "mpd.slice.0-999.json", value)
    assert report.rows_read == report.rows_written["events"] + sum(report.skipped.values())


@pytest.mark.parametrize("user", ["ann ", "", "42"])
def test_a_listeners_name_is_taken_as_it_stands(user: str) -> None:
    report = imported("listenbrainz", "1.listens", [listen_of("Feeling Good", user_name=user)])
    assert report.listeners == (user or "me",)
