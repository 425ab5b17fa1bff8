"""Files of a demo world: the contract's columns, the as-of rule, dirt, the same bytes twice, room to write.

Belongs here: what lands. Does not: whether it is believable music (test_demo_world_listening.py).
"""

import dataclasses
import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models_ml.demo_world import WorldParams, WorldSize, write_world
from models_ml.demo_world.world import MARKER, world_last_week
from models_ml.errors import InputError
from tests.models_ml.demo_world.world_fixture import (
    LAST_WEEK,
    PARAMS,
    SEED,
    SIZE,
    dataset,
    events,
    file_bytes,
    retries,
    small_world,
    truth,
)

# The landing contract, as the house plan has it.
CONTRACT = {
    "events": "user_id event_type occurred_at track_id artist_id event_id ms_played reason_start reason_end "
    "shuffle is_private context_type context_id position session_id device_type variant_id source",
    "play_counts": "user_id track_id play_count observed_at",
    "tracks": "track_id title artist_id artist_name artist_ids album_id album_title duration_ms released_on "
    "available_from genres language explicit markets isrc recording_id",
    "track_tags": "track_id tag user_id tagged_at",
    "users": "user_id registered_at market timezone allow_explicit favourite_artist_ids favourite_genres "
    "allow_exploration adventurousness",
    "playlists": "playlist_id title description owner_id updated_at",
    "playlist_tracks": "playlist_id track_id position added_at",
    "documents": "document_id body title url published_at track_ids",
    "overrides": "track_id artist_id action valid_from valid_to",
    "subscriptions": "user_id event occurred_at",
}
EVENT_TYPES = set(
    [
        "play",
        "skip",
        "save",
        "unsave",
        "playlist_add",
        "playlist_remove",
        "like",
        "dislike",
        "block_track",
        "block_artist",
    ]
)
TINY = WorldSize(listeners=30, tracks=480, weeks=1, last_week=LAST_WEEK, history_weeks=2, sound=False)
CUTOFF = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)


def write_tiny(folder: Path, seed: int = 1, params: WorldParams = PARAMS, size: WorldSize = TINY) -> dict[str, int]:
    return dict(write_world(folder / "landing", folder / "truth", size, params, seed).rows)


@pytest.mark.parametrize("name", [name for name in CONTRACT if name != "events"])
def test_columns_are_those_of_the_contract(name: str) -> None:
    folder, _ = small_world()
    assert dataset(folder, name).column_names == CONTRACT[name].split()


def test_event_columns_are_those_of_the_contract_and_retries_have_two_unknown_ones() -> None:
    folder, _ = small_world()
    assert events(folder).column_names == CONTRACT["events"].split()
    assert set(retries(folder)[0]) == {*CONTRACT["events"].split(), "app_version", "retry_count"}


def test_nothing_else_lands_and_the_report_counts_every_row() -> None:
    folder, report = small_world()
    landed = {path.name for path in (folder / "landing").iterdir() if not path.name.startswith(".")}
    assert landed == set(CONTRACT)
    assert report.rows["events"] == len(events(folder)) + len(retries(folder))
    assert all(report.rows[name] == len(dataset(folder, name)) for name in landed - {"events"})
    assert report.mondays == (dt.date(2026, 10, 19), dt.date(2026, 10, 26), LAST_WEEK)


def test_every_way_of_writing_a_file_occurs() -> None:
    folder, _ = small_world()
    endings = {"".join(path.suffixes) for path in folder.glob("landing/*/**/*") if path.is_file()}
    assert endings == {".parquet", ".csv", ".csv.gz", ".csv.zst", ".jsonl", ".ndjson.gz", ".ndjson.zst"}


def test_an_event_lies_in_the_folder_of_its_week_and_none_on_the_last_monday() -> None:
    folder, _ = small_world()
    weeks = sorted(path.name for path in (folder / "landing" / "events").iterdir())
    assert weeks == [f"week={LAST_WEEK - dt.timedelta(weeks=back)}" for back in range(10, 0, -1)]
    for name in weeks:
        first = dt.datetime.combine(dt.date.fromisoformat(name[5:]), dt.time(), dt.UTC)
        when = pq.ParquetFile(folder / "landing" / "events" / name / "part-0000.parquet").read()["occurred_at"]
        bounds = pc.min_max(when).as_py()
        assert first <= bounds["min"] <= bounds["max"] < first + dt.timedelta(weeks=1)


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("users", "registered_at"),
        ("play_counts", "observed_at"),
        ("playlist_tracks", "added_at"),
        ("playlists", "updated_at"),
        ("documents", "published_at"),
        ("subscriptions", "occurred_at"),
        ("track_tags", "tagged_at"),
    ],
)
def test_nothing_is_known_that_happens_on_the_last_monday_or_later(name: str, column: str) -> None:
    folder, _ = small_world()
    values = dataset(folder, name)[column]
    if pa.types.is_string(values.type):
        values = pc.strptime(values, "%Y-%m-%dT%H:%M:%SZ", "s").cast(pa.timestamp("s", tz="UTC"))
    assert pc.max(values).as_py() < CUTOFF


def test_some_releases_are_announced_for_after_the_last_monday() -> None:
    folder, _ = small_world()
    days = dataset(folder, "tracks")["released_on"].to_pylist()
    ahead = [day for day in days if day >= LAST_WEEK]
    assert 0 < len(ahead) < len(days) * 0.1
    assert max(days) < LAST_WEEK + dt.timedelta(weeks=4)


def test_nobody_plays_what_is_not_out_yet() -> None:
    folder, _ = small_world()
    tracks = dataset(folder, "tracks")
    out = {
        row["track_id"]: row["available_from"] or dt.datetime.combine(row["released_on"], dt.time(), dt.UTC)
        for row in tracks.select(["track_id", "available_from", "released_on"]).to_pylist()
    }
    played = events(folder).select(["track_id", "occurred_at"]).to_pylist()
    assert all(row["occurred_at"] >= out.get(row["track_id"], row["occurred_at"]) for row in played if row["track_id"])


def test_ids_are_unique_where_they_have_to_be() -> None:
    folder, _ = small_world()
    for name, column in (
        ("tracks", "track_id"),
        ("users", "user_id"),
        ("playlists", "playlist_id"),
        ("documents", "document_id"),
    ):
        values = dataset(folder, name)[column]
        assert len(values.unique()) == len(values)


def test_dirt_occurs_at_about_the_share_that_was_asked_for(tmp_path: Path) -> None:
    params = WorldParams(
        duplicate_share=0.05,
        unknown_track_share=0.04,
        missing_user_share=0.06,
        unknown_type_share=0.02,
        unparsable_time_share=0.03,
        negative_duration_share=0.05,
        event_id_missing_share=0.1,
        unreadable_files=2,
    )
    size = dataclasses.replace(TINY, listeners=200)
    write_tiny(tmp_path, 4, params, size)
    table, broken = events(tmp_path), retries(tmp_path)
    known = set(dataset(tmp_path, "tracks")["track_id"].to_pylist())
    ids = Counter(value for value in table["event_id"].to_pylist() if value)
    kinds = [*table["event_type"].to_pylist(), *(row["event_type"] for row in broken)]
    users = [*table["user_id"].to_pylist(), *(row["user_id"] for row in broken)]
    played = [*table["ms_played"].to_pylist(), *(row["ms_played"] for row in broken)]
    found = {
        "duplicate_share": sum(count - 1 for count in ids.values()) / 0.9,
        "unknown_track_share": sum(value is not None and value not in known for value in table["track_id"].to_pylist()),
        "missing_user_share": users.count(None),
        "unknown_type_share": sum(kind not in EVENT_TYPES for kind in kinds),
        "negative_duration_share": sum(value is not None and value < 0 for value in played),
        "unparsable_time_share": sum(
            not str(row["occurred_at"]).startswith("2026-1") or ":61" in row["occurred_at"] for row in broken
        ),
    }
    clean = len(table) / (1 + 0.05 + 0.04 + 0.03 + 0.01 + 0.025)
    for name, count in found.items():
        share = getattr(params, name)
        # Five standard deviations of a count of independent rows.
        assert abs(count - share * clean) < 5 * (share * clean) ** 0.5, name
    assert len(list(tmp_path.glob("landing/events/*/broken-off-*.parquet"))) == 2


def test_a_file_that_breaks_off_cannot_be_read() -> None:
    folder, _ = small_world()
    (path,) = folder.glob("landing/events/*/broken-off-*.parquet")
    with pytest.raises(pa.ArrowInvalid):
        pq.ParquetFile(path)


def test_without_dirt_every_event_can_be_used(tmp_path: Path) -> None:
    clean = {
        "duplicate_share": 0.0,
        "event_id_missing_share": 0.0,
        "unknown_track_share": 0.0,
        "missing_user_share": 0.0,
        "unknown_type_share": 0.0,
        "unparsable_time_share": 0.0,
        "negative_duration_share": 0.0,
    }
    write_tiny(tmp_path, 2, WorldParams(**clean, unreadable_files=0))
    table = events(tmp_path)
    assert set(table["event_type"].to_pylist()) <= EVENT_TYPES
    assert table["user_id"].null_count == 0
    assert len(table["event_id"].unique()) == len(table)
    assert not list(tmp_path.glob("landing/events/*/retries*"))
    assert not list(tmp_path.glob("landing/events/*/broken*"))
    known = set(dataset(tmp_path, "tracks")["track_id"].to_pylist())
    assert {value for value in table["track_id"].to_pylist() if value} <= known


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    folder, _ = small_world()
    write_world(tmp_path / "landing", tmp_path / "truth", SIZE, PARAMS, SEED)
    assert file_bytes(tmp_path) == file_bytes(folder)


def test_another_seed_gives_another_world(tmp_path: Path) -> None:
    write_tiny(tmp_path / "one", seed=1)
    write_tiny(tmp_path / "two", seed=2)
    first, second = (dataset(tmp_path / name, "tracks")["title"].to_pylist() for name in ("one", "two"))
    assert first != second


def test_a_chunk_of_listeners_does_not_depend_on_how_many_come_after_it(tmp_path: Path) -> None:
    params = WorldParams(plays_per_listener_mean=5_000, plays_spread=0)  # 80 listeners a chunk
    for listeners in (80, 100):
        write_tiny(
            tmp_path / str(listeners),
            1,
            params,
            dataclasses.replace(TINY, listeners=listeners, history_weeks=1),
        )
    few, many = (dataset(tmp_path / name, "users") for name in ("80", "100"))
    assert many.slice(0, len(few)).equals(few)
    user = "u00000007"
    first, second = (
        table.filter(pc.equal(table["user_id"], user)) for table in (events(tmp_path / "80"), events(tmp_path / "100"))
    )
    assert len(first) > 10
    assert first.equals(second)


def test_the_same_world_again_is_left_alone_and_says_so(tmp_path: Path) -> None:
    rows = write_tiny(tmp_path)
    before = file_bytes(tmp_path)
    said: list[str] = []
    report = write_world(tmp_path / "landing", tmp_path / "truth", TINY, PARAMS, 1, said.append)
    assert report.was_there
    assert dict(report.rows) == rows
    assert said == [f"{tmp_path / 'landing'}: this world is already there"]
    assert file_bytes(tmp_path) == before


def test_a_world_says_which_week_is_its_last_also_where_it_was_not_finished(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    assert world_last_week(landing) is None
    write_tiny(tmp_path)
    assert world_last_week(landing) == TINY.last_week
    marker = landing / MARKER
    marker.write_text(marker.read_text().replace('"written"', '"writing"'))
    assert world_last_week(landing) == TINY.last_week
    marker.write_text("{")
    assert world_last_week(landing) is None


def test_another_world_is_not_written_over_one_that_is_there(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    with pytest.raises(InputError, match="holds a demo world of another size, seed, last week or parameters"):
        write_tiny(tmp_path, seed=2)


def test_somebody_elses_files_are_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "landing" / "events" / "mine.csv"
    mine.parent.mkdir(parents=True)
    mine.write_text("user_id,event_type,occurred_at\n")
    with pytest.raises(InputError, match="holds files that are no demo world's"):
        write_tiny(tmp_path)
    assert file_bytes(tmp_path) == {"landing/events/mine.csv": b"user_id,event_type,occurred_at\n"}


def test_the_truth_about_another_world_is_not_overwritten(tmp_path: Path) -> None:
    write_tiny(tmp_path)
    with pytest.raises(InputError, match="holds the truth about another demo world"):
        write_world(tmp_path / "elsewhere", tmp_path / "truth", TINY, PARAMS, 2)


def test_the_truth_does_not_lie_in_landing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the truth would lie in landing"):
        write_world(tmp_path / "landing", tmp_path / "landing" / "truth", TINY, PARAMS, 1)


@pytest.mark.parametrize("marker", [b'{"state": "writing", "arguments": {"seed": 99}}', b'{"sta'])
def test_what_an_unfinished_writing_left_is_cleared_and_written_anew(tmp_path: Path, marker: bytes) -> None:
    write_tiny(tmp_path / "whole")
    landing = tmp_path / "broken" / "landing"
    (landing / ".writing" / "events").mkdir(parents=True)
    (landing / ".writing" / "events" / "half").write_bytes(b"PAR1")
    (landing / "tracks").mkdir()
    (landing / "tracks" / "old.parquet").write_bytes(b"PAR1")
    (landing / MARKER).write_bytes(marker)
    write_tiny(tmp_path / "broken")
    assert file_bytes(tmp_path / "broken") == file_bytes(tmp_path / "whole")


def test_the_marker_names_the_arguments() -> None:
    folder, _ = small_world()
    told = orjson.loads((folder / "landing" / MARKER).read_bytes())
    assert told["state"] == "written"
    assert told["arguments"]["seed"] == SEED
    assert told["arguments"] == orjson.loads((folder / "truth" / "world.json").read_bytes())


def test_the_truth_has_a_row_for_every_listener_and_track_in_order() -> None:
    folder, _ = small_world()
    listeners, tracks = truth(folder, "listeners"), truth(folder, "tracks")
    assert listeners["user_id"].to_pylist() == [f"u{number:08d}" for number in range(1, 401)]
    assert tracks["track_id"].to_pylist() == dataset(folder, "tracks")["track_id"].to_pylist()
    shares = np.stack(listeners["genre_shares"].to_numpy())
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=24 * 5e-5)


@pytest.mark.parametrize(
    ("listeners", "changes"),
    [
        (1, {}),
        (25, {"registered_only_share": 1.0, "events_only_share": 0.0, "play_counts_share": 0.0}),
        (25, {"registered_only_share": 0.0, "events_only_share": 0.5, "play_counts_share": 0.5}),
        (25, {"taste_modes_max": 1, "released_in_history_share": 1.0, "restricted_share": 0.5}),
        (25, {"editorial_playlists_per_genre": 0, "playlists_per_listener": 0.0, "tags_per_track": 0.0}),
        (25, {"edition_share": 0.0, "conformity": 0.0, "taste_strength": 0.0, "noise_share": 1.0}),
    ],
)
def test_worlds_at_the_edge_can_be_written(tmp_path: Path, listeners: int, changes: dict[str, float]) -> None:
    size = WorldSize(listeners, LAST_WEEK, tracks=480, weeks=1, history_weeks=1, sound=False)
    rows = write_tiny(tmp_path, 3, WorldParams(**changes), size)
    assert 0 < rows["tracks"] <= 480
    assert rows.get("users", 0) + rows.get("events", 0) > 0


def test_listeners_who_never_played_have_no_event(tmp_path: Path) -> None:
    params = WorldParams(registered_only_share=1, events_only_share=0, play_counts_share=0)
    rows = write_tiny(tmp_path, 3, params)
    assert rows["users"] == 30
    assert "events" not in rows
