"""Dirt: bad files and rows, each with the outcome it must have, and the sum of every file."""

import datetime as dt
import gzip
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dagster_project.cli import BAD_INPUT, main
from dagster_project.cli_run import run_week
from dagster_project.home import Home
from dagster_project.lake import Lake
from models_ml.errors import InputError
from tests.published import query
from tests.worlds import MONDAY as NEXT
from tests.worlds import land, land_small_world

MONDAY = NEXT - dt.timedelta(weeks=1)  # the week after it is run too, and has to have begun

EVENT = {
    "user_id": "u000",
    "event_type": "play",
    "occurred_at": "2026-11-13 12:00:00",
    "track_id": "t0000",
    "ms_played": 60_000,
}

# Row of landing/events/dirt.ndjson, and what must become of it.
ROWS: list[tuple[object, str]] = [
    ({**EVENT, "event_id": "good"}, "accepted"),
    ({**EVENT, "event_id": "good", "track_id": "t0003"}, "duplicate"),
    ({**EVENT, "mood": "blue"}, "accepted"),
    ({**EVENT, "mood": "blue"}, "duplicate"),
    ({**EVENT, "mood": "green"}, "accepted"),
    ({**EVENT, "event_id": "unknown track", "track_id": "nobody-knows"}, "pending"),
    ({**EVENT, "event_id": "offset", "occurred_at": "2026-11-13T12:00:00+05:00"}, "accepted"),
    ({**EVENT, "event_id": "private", "is_private": True}, "accepted"),
    ({**EVENT, "event_id": "next week", "occurred_at": "2026-11-16T00:00:00Z"}, "accepted"),
    ({**EVENT, "user_id": None}, "no_user_id"),
    ({**EVENT, "user_id": "  "}, "no_user_id"),
    ({**EVENT, "event_type": "hum"}, "unknown_event_type"),
    ({**EVENT, "event_type": None}, "unknown_event_type"),
    ({**EVENT, "occurred_at": "yesterday"}, "unparsable_time"),
    ({**EVENT, "occurred_at": "2026-02-30 12:00:00"}, "unparsable_time"),
    ({**EVENT, "occurred_at": "infinity"}, "unparsable_time"),
    ({**EVENT, "occurred_at": None}, "unparsable_time"),
    ({**EVENT, "ms_played": -1}, "negative_duration"),
    ({**EVENT, "ms_played": "long"}, "unparsable_number"),
    ({**EVENT, "occurred_at": "2199-01-01 00:00:00"}, "time_after_file_was_seen"),
    ({**EVENT, "track_id": None}, "no_track_id"),
    ({"user_id": "u000", "event_type": "block_artist", "occurred_at": "2026-11-13"}, "no_artist_id"),
    ({"user_id": "u000", "event_type": "block_artist", "occurred_at": "2026-11-13", "artist_id": "a0003"}, "accepted"),
    ("{not json", "malformed_row"),
    ("[1, 2]", "malformed_row"),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("dirt"))
    land_small_world(home.landing, until=MONDAY)
    dirt = home.landing / "events" / "dirt.ndjson"
    dirt.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row, _ in ROWS) + "\n")
    events = home.landing / "events"
    (events / "truncated.parquet").write_bytes((events / "history.parquet").read_bytes()[:2000])
    (events / "broken.csv.gz").write_bytes(
        gzip.compress(b"user_id,event_type,occurred_at\nu,play,2026-11-13\n" * 999)[:60]
    )
    (events / "a_copy.parquet").write_bytes((events / "history.parquet").read_bytes())
    (events / "empty.csv").write_text("")
    (events / "notes.docx").write_bytes(b"not a table")
    (events / ".hidden.csv").write_text("nothing,here\n")
    (home.landing / "weather").mkdir()
    (home.landing / "weather" / "rain.csv").write_text("a\n1\n")
    (home.landing / "overrides").mkdir()
    (home.landing / "overrides" / "o.csv").write_text(
        "track_id,artist_id,action,valid_from\n,,takedown,\nt0000,,dance,\nt0003,,takedown,2020-01-01\n"
    )
    land(
        home.landing,
        "play_counts/c.parquet",
        [
            {"user_id": "u001", "track_id": "t0001", "play_count": 3},
            {"user_id": "u001", "track_id": "t0004", "play_count": -3},
        ],
    )
    assert run_week(home, MONDAY)
    return home


def _report(home: Home, name: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = Lake(home.lake).read_week(f"reports/{name}", MONDAY).to_pylist()
    return rows


def test_each_row_has_the_outcome_it_must_have(home: Home) -> None:
    quarantined = {
        row["row_number"]: row["reason"] for row in _report(home, "quarantine") if row["path"] == "events/dirt.ndjson"
    }
    outcomes = ("accepted", "pending", "duplicate")
    assert quarantined == {number: outcome for number, (_, outcome) in enumerate(ROWS, 1) if outcome not in outcomes}
    counts = next(row for row in _report(home, "intake_files") if row["path"] == "events/dirt.ndjson")
    for outcome in outcomes:
        assert counts[f"{outcome}_count"] == sum(stated == outcome for _, stated in ROWS), outcome


def test_a_quarantined_row_is_kept_as_it_came(home: Home) -> None:
    rows = {
        row["row_number"]: json.loads(str(row["row_json"]))
        for row in _report(home, "quarantine")
        if row["path"] == "events/dirt.ndjson"
    }
    for number, (row, outcome) in enumerate(ROWS, 1):
        if outcome == "unknown_event_type":
            assert isinstance(row, dict)
            assert rows[number]["event_type"] == row["event_type"]
        if outcome == "malformed_row":
            assert row in json.dumps(json.loads(rows[number]["_extras"]), ensure_ascii=False).replace('\\"', '"')


def test_the_rows_of_every_file_add_up(home: Home) -> None:
    files = _report(home, "intake_files")
    assert len(files) == 12
    for row in files:
        parts = [row[f"{part}_count"] for part in ("accepted", "pending", "quarantined", "duplicate")]
        assert row["row_count"] == sum(parts), row  # type: ignore[arg-type]


def test_files_that_cannot_be_read_are_named_and_the_rest_goes_on(home: Home) -> None:
    errors = {row["path"]: row["error"] for row in _report(home, "intake_files") if row["error"]}
    assert set(errors) == {"events/truncated.parquet", "events/broken.csv.gz", "events/notes.docx", "weather/rain.csv"}
    assert query(home.root, "select count(*) from weekly_playlists") == [(40,)]


def test_the_same_content_twice_is_read_once(home: Home) -> None:
    files = {row["path"]: row for row in _report(home, "intake_files")}
    assert files["events/history.parquet"]["duplicate_of"] == "events/a_copy.parquet"
    assert files["events/history.parquet"]["duplicate_count"] == files["events/a_copy.parquet"]["accepted_count"]


def test_a_block_and_a_takedown_hold(home: Home) -> None:
    assert query(
        home.root,
        "select count(*) from weekly_playlist_tracks where user_id = 'u000' and list_contains(artist_ids, 'a0003')",
    ) == [(0,)]
    assert query(home.root, "select count(*) from weekly_playlist_tracks where track_id = 't0003'") == [(0,)]


def test_a_row_that_waited_for_its_track_counts_once_the_track_is_known(home: Home) -> None:
    land(
        home.landing,
        "tracks/late.parquet",
        [{"track_id": "nobody-knows", "title": "Known now", "artist_id": "a0000", "artist_name": "Artist 0"}],
    )
    assert run_week(home, NEXT)
    files = Lake(home.lake).read_week("reports/intake_files", NEXT).to_pylist()
    assert next(row["pending_count"] for row in files if row["path"] == "events/dirt.ndjson") == 0
    heard = pq.read_table(Lake(home.lake).path("features/editions", NEXT), filters=[("track_id", "==", "nobody-knows")])
    assert heard.num_rows == 1


@pytest.mark.parametrize(
    ("landed", "message"),
    [
        ({}, "tracks: no tracks have landed"),
        ({"tracks/t.csv": "track_id,title,artist_id,artist_name\nt,T,a,A\n"}, "events: no listening has landed"),
        (
            {"tracks/t.csv": "track_id,title,artist_id\nt,T,a\n"},
            "landing/tracks/t.csv: dataset tracks needs the column artist_name",
        ),
    ],
)
def test_what_is_missing_is_said_in_one_line_and_nothing_is_published(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    landed: dict[str, str],
    message: str,
) -> None:
    for name, text in landed.items():
        (tmp_path / "landing" / name).parent.mkdir(parents=True)
        (tmp_path / "landing" / name).write_text(text)
    assert main(["run", "--week", "2026-11-16", "--home", str(tmp_path)]) == BAD_INPUT
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("monday-mix: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert not (tmp_path / "published" / "monday_mix.duckdb").exists()
    with pytest.raises(InputError, match="no week 2026-11-16"):
        Lake(tmp_path / "lake").path("marts/weekly_playlists", MONDAY)
