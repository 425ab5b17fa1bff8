"""What is published of tracks: vectors as arrays, what was heard in their sound, and who found listeners."""

import datetime as dt
import os
import re
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import soundfile

from dagster_project.cli_run import run_week
from dagster_project.home import REPOSITORY, Home
from dagster_project.lake import NO_WEEK, Lake
from dagster_project.resources import dbt_environment
from dagster_project.sound_io import keep_audio
from dagster_project.table_schemas import RUNGS_TABLE, VECTORS, ensure_stand_ins, vector_sizes
from dagster_project.vectors_io import load_fused, recording_vectors
from models_ml.arrays import Floats, vector_column
from models_ml.fusion import FusionParams
from tests.published import published, query
from tests.worlds import MONDAY, land, land_small_world

BEFORE = MONDAY - dt.timedelta(weeks=1)
NOON_BETWEEN = dt.datetime.combine(BEFORE, dt.time(12))
ENOUGH = FusionParams().content_below
FACTORS, WORDS, SOUND = 16, 8, 3
SETTINGS = f"[collaborative]\nfactors = {FACTORS}\n[text]\nvector_size = {WORDS}\n"
GIVEN_VECTORS = {"t0001": [3.0, 0.0, 4.0], "t0002": [0.0, 0.0, 0.0], "t0004": [0.0, 5.0, 0.0]}
EXAMPLES = re.findall(
    r"^```sql\n(.*?)^```", (REPOSITORY / "docs" / "vectors.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two Mondays; between them, as many as it takes come to like a recording that few knew."""
    home = Home(tmp_path_factory.mktemp("track_tables"))
    home.prepare()
    home.config_file.write_text(SETTINGS)
    land_small_world(home.landing, tracks=240)
    land(home.landing, "track_vectors/given.parquet", [{"track_id": t, "vector": v} for t, v in GIVEN_VECTORS.items()])
    _land_words(home.landing)
    _land_sounds(home.landing / "audio")
    assert run_week(home, BEFORE)
    track = _waiting(home)[0]
    saves = [{"user_id": f"u{n:03d}", "track_id": track, "occurred_at": NOON_BETWEEN} for n in range(10)]
    land(home.landing, "events/between.parquet", [{**row, "event_type": "save"} for row in saves])
    assert run_week(home, MONDAY)
    return home


def _land_words(landing: Path) -> None:
    land(landing, "playlists/p.parquet", [{"playlist_id": f"p{n}", "title": f"rainy jazz {n}"} for n in range(4)])
    entries = [{"playlist_id": f"p{n}", "track_id": f"t{3 * i:04d}"} for n in range(4) for i in range(n, n + 8)]
    land(landing, "playlist_tracks/p.parquet", entries)


def _land_sounds(folder: Path) -> None:
    """A chord for t0001, and a file that holds no sound for t0002."""
    folder.mkdir(parents=True)
    seconds = np.arange(5 * 22_050) / 22_050
    chord = sum(np.sin(2 * np.pi * hertz * seconds) for hertz in (261.6, 329.6, 392.0))
    soundfile.write(folder / "t0001.wav", 0.1 * chord * (np.sin(4 * np.pi * seconds) > 0), 22_050)
    (folder / "t0002.wav").write_bytes(b"RIFF and no more")


def _waiting(home: Home) -> list[str]:
    sql = "select track_id from track_rungs where week = ? and rung = 'content' order by recording_id"
    return [str(track) for (track,) in query(home.root, sql, BEFORE)]


def _columns(home: Home, name: str) -> pa.Table:
    with duckdb.connect(str(published(home.root)), read_only=True) as connection:
        return connection.execute(f"from {name} order by recording_id").to_arrow_table()


def _as_made(home: Home, name: str) -> Floats:
    """(m, n) vectors as the step wrote them, by recording_id."""
    lake = Lake(home.lake)
    if name == "fused":
        return load_fused(lake, MONDAY).vectors
    return recording_vectors(
        lake, MONDAY, {"collaborative": "vectors/recording_factors"}.get(name, f"vectors/{name}_recordings")
    )


@pytest.mark.parametrize("name", ["collaborative", "text", "fused"])
def test_a_published_vector_is_the_one_that_was_made_and_one_of_zeros_is_none(home: Home, name: str) -> None:
    shown, made = _columns(home, "track_vectors")[name].to_pylist(), _as_made(home, name)
    there = made.any(axis=1)
    assert there.any()
    assert [vector is not None for vector in shown] == there.tolist()
    assert (np.array([vector for vector in shown if vector], dtype=np.float32) == made[there]).all()


def test_landed_vectors_of_sound_are_there_at_length_one(home: Home) -> None:
    shown = query(home.root, "select track_id, audio from track_vectors where audio is not null order by track_id")
    assert [track for track, _ in shown] == ["t0001", "t0004"]
    assert shown[0][1] == pytest.approx((0.6, 0.0, 0.8))


def test_the_sizes_are_those_of_the_configuration_and_of_what_landed(home: Home) -> None:
    types = query(home.root, "select column_name, data_type from duckdb_columns() where table_name = 'track_vectors'")
    sizes = {name: type_ for name, type_ in types if str(type_).startswith("FLOAT")}
    expected = {"collaborative": FACTORS, "text": WORDS, "audio": SOUND, "fused": FACTORS}
    assert sizes == {name: f"FLOAT[{size}]" for name, size in expected.items()}


def test_every_recording_of_the_newest_week_has_its_row_and_no_other(home: Home) -> None:
    rows = _columns(home, "track_vectors")
    ids = Lake(home.lake).read_week("features/recordings", MONDAY, ["recording_id"])["recording_id"]
    assert rows["recording_id"].to_pylist() == ids.to_pylist()
    assert set(rows["week"].to_pylist()) == {MONDAY}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_of_the_docs_runs(home: Home, example: str) -> None:
    with duckdb.connect(str(published(home.root)), read_only=True) as connection:
        for statement in connection.extract_statements(example.replace("…", "t0001")):
            connection.execute(statement)
            assert connection.description


def test_the_neighbours_of_the_docs_are_the_nearest(home: Home) -> None:
    rows = _columns(home, "track_vectors")
    vectors = _as_made(home, "fused")
    lengths = np.linalg.norm(vectors, axis=1)
    asked = int(np.argmax(lengths))
    cosine = vectors @ vectors[asked] / np.maximum(lengths * lengths[asked], 1e-12)
    best = [row for row in np.argsort(-cosine) if row != asked and lengths[row]][:10]
    found = query(home.root, EXAMPLES[0].replace("…", rows["track_id"][asked].as_py()))
    assert [likeness for *_, likeness in found] == pytest.approx(cosine[best].tolist(), abs=1e-5)


def test_what_was_measured_of_a_sound_stands_in_columns_and_an_unusable_one_has_no_row(home: Home) -> None:
    (row,) = _columns(home, "track_sounds").to_pylist()
    assert (row["track_id"], row["key"], row["mode"]) == ("t0001", 0, "major")
    assert row["duration_seconds"] == pytest.approx(5.0, abs=0.01)
    assert 0 <= row["energy"] <= 1
    assert (row["instrumentalness"], row["genre"], row["genre_chance"]) == (None, None, None), "no network listened"


def test_who_found_enough_listeners_is_promoted_in_the_week_it_happened(home: Home) -> None:
    sql = "select week, rung, previous_rung, is_promoted, liked_by >= ? from track_rungs where track_id = ? order by 1"
    assert query(home.root, sql, ENOUGH, _waiting(home)[0]) == [
        (BEFORE, "content", None, False, False),
        (MONDAY, "collaborative", "content", True, True),
    ]


def test_every_recording_on_content_this_week_or_the_last_has_a_row(home: Home) -> None:
    lake = Lake(home.lake)
    on_content = []
    for week in (BEFORE, MONDAY):
        table = lake.read_week(RUNGS_TABLE, week, ["recording_id", "rung"])
        on_content.append(set(table.filter(pc.equal(table["rung"], "content"))["recording_id"].to_pylist()))
    sql = "select recording_id from track_rungs where week = ?"
    assert {recording for (recording,) in query(home.root, sql, BEFORE)} == on_content[0]
    assert {recording for (recording,) in query(home.root, sql, MONDAY)} == on_content[0] | on_content[1]


@pytest.mark.parametrize("table", VECTORS)
def test_a_stand_in_has_the_columns_that_the_step_writes(home: Home, table: str) -> None:
    written = pq.read_schema(Lake(home.lake).path(table, MONDAY))
    for field in VECTORS[table]:
        type_ = written.field(field.name).type
        as_list = pa.list_(type_.value_type) if pa.types.is_fixed_size_list(type_) else type_
        assert as_list == field.type, f"{table}.{field.name}"


def _seen_by_dbt(home: Home, week: dt.date) -> dict[str, str]:
    with dbt_environment(home, week):
        return {name: value for name, value in os.environ.items() if name.startswith("MONDAY_MIX_")}


def test_dbt_is_told_the_sizes_and_the_week_before(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONDAY_MIX_TEXT_SIZE", raising=False)
    assert _seen_by_dbt(home, MONDAY)["MONDAY_MIX_PARENT_WEEK"] == str(BEFORE)
    assert _seen_by_dbt(home, MONDAY)["MONDAY_MIX_TEXT_SIZE"] == str(WORDS)
    assert _seen_by_dbt(home, BEFORE)["MONDAY_MIX_PARENT_WEEK"] == str(NO_WEEK), "none was run before"
    assert "MONDAY_MIX_TEXT_SIZE" not in _seen_by_dbt(home, MONDAY + dt.timedelta(weeks=1)), "not made yet"


def test_a_week_before_that_told_no_rungs_counts_as_none(tmp_path: Path) -> None:
    """It was run by code that knew none."""
    home = Home(tmp_path)
    home.manifest(BEFORE).parent.mkdir(parents=True)
    home.manifest(BEFORE).write_text("{}")
    assert _seen_by_dbt(home, MONDAY)["MONDAY_MIX_PARENT_WEEK"] == str(NO_WEEK)
    Lake(home.lake).replace_week(RUNGS_TABLE, BEFORE, pa.table({"collaborative": vector_column(np.zeros((1, 2)))}))
    assert _seen_by_dbt(home, MONDAY)["MONDAY_MIX_PARENT_WEEK"] == str(NO_WEEK)


def test_sizes_are_known_where_no_vector_is(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    ensure_stand_ins(lake)
    assert vector_sizes(lake, MONDAY) == {}
    keep_audio(lake, MONDAY, np.zeros(0, dtype=np.int64), np.zeros((0, 5), dtype=np.float32), None, "nothing")
    assert vector_sizes(lake, MONDAY) == {"audio": 5}
