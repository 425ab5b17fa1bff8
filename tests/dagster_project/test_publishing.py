"""The published file: one file, replaced at once, readable by old shells and never half there."""

import datetime as dt
import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from dagster_project import home as home_of_project
from dagster_project.home import STORAGE_VERSION, WAREHOUSE_PROJECT, Home, dbt_threads, duckdb_memory
from dagster_project.lake import Lake
from dagster_project.manifest import MANIFEST_TABLES, table_hashes
from dagster_project.publishing import PUBLISHED_TABLES, keep_published, publish_anew, publish_week
from models_ml.evaluation.report import EVALUATION_SCHEMA

WEEKS = [dt.date(2026, 11, 2) + dt.timedelta(weeks=number) for number in range(4)]


def _land_marts(
    home: Home, week: dt.date, title: str, extra: bool = False, outcomes: dict[dt.date, int] | None = None
) -> None:
    lake = Lake(home.lake)
    key = {"program_id": ["discover"], "week": pa.array([week], pa.date32()), "user_id": ["u"]}
    tracks = {**key, "position": pa.array([1], pa.int32()), "title": [title], "contribution_collaborative": [0.5]}
    if extra:
        tracks["contribution_text"] = [0.25]
    metrics = {**key, **{field.name: pa.nulls(1, field.type) for field in EVALUATION_SCHEMA}}
    filled_in = {
        "program_id": pa.array(["discover"] * len(outcomes or {}), pa.string()),
        "week": pa.array(outcomes or {}, pa.date32()),
        "plays": pa.array((outcomes or {}).values(), pa.int32()),
        "input_cutoff_at": pa.array([dt.datetime.combine(week, dt.time())] * len(outcomes or {}), pa.timestamp("us")),
    }
    rows = {
        "weekly_playlist_tracks": tracks,
        "evaluation_metrics": metrics,
        "playlist_slot_outcomes": filled_in,
    }
    for table in PUBLISHED_TABLES:
        lake.replace_week(f"marts/{table}", week, pa.table(rows.get(table, key)))


def _land_vectors(home: Home, week: dt.date, fused: list[list[float] | None]) -> None:
    """A mart of vectors, lists in Parquet, and the step's table, which knows their size."""
    lake, count, size = Lake(home.lake), len(fused), len(next(filter(None, fused)))
    _land_marts(home, week, "t")
    columns = {"week": pa.array([week] * count), "fused": pa.array(fused, pa.list_(pa.float32()))}
    lake.replace_week("marts/track_vectors", week, pa.table(columns))
    step = pa.array([[0.0] * size] * count, pa.list_(pa.float32(), size))
    lake.replace_week("vectors/fused_recordings", week, pa.table({"collaborative": step}))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.prepare()
    return home


def _titles(home: Home) -> list[tuple[dt.date, str]]:
    with duckdb.connect(str(home.published), read_only=True) as connection:
        return connection.execute("select week, title from weekly_playlist_tracks order by week").fetchall()


def test_weeks_add_up_and_a_week_published_again_replaces_itself(home: Home) -> None:
    for week in WEEKS[:2]:
        _land_marts(home, week, "first")
        publish_week(home, week, publish_weeks=12)
    _land_marts(home, WEEKS[0], "again")
    counts = publish_week(home, WEEKS[0], publish_weeks=12)
    assert _titles(home) == [(WEEKS[0], "again"), (WEEKS[1], "first")]
    assert counts["weekly_playlist_tracks"] == 1


def test_only_the_newest_weeks_are_kept(home: Home) -> None:
    for week in WEEKS:
        _land_marts(home, week, "t")
        publish_week(home, week, publish_weeks=2)
    assert [week for week, _ in _titles(home)] == WEEKS[2:]
    _land_marts(home, WEEKS[0], "too old")
    publish_week(home, WEEKS[0], publish_weeks=2)
    assert [week for week, _ in _titles(home)] == WEEKS[2:]


def test_a_new_column_brings_back_the_weeks_of_the_lake(home: Home) -> None:
    _land_marts(home, WEEKS[0], "old")
    publish_week(home, WEEKS[0], publish_weeks=12)
    _land_marts(home, WEEKS[1], "new", extra=True)
    publish_week(home, WEEKS[1], publish_weeks=12)
    with duckdb.connect(str(home.published), read_only=True) as connection:
        rows = connection.execute("select week, contribution_text from weekly_playlist_tracks order by week").fetchall()
        components = connection.execute(
            "select component, sum(contribution) from playlist_track_reasons group by 1 order by 1"
        ).fetchall()
    assert rows == [(WEEKS[0], None), (WEEKS[1], 0.25)]
    assert components == [("collaborative", 1.0), ("text", 0.25)]


def test_of_vectors_the_newest_week_is_there_in_its_own_size(home: Home) -> None:
    for week, vectors in zip(WEEKS, ([[1.0, 0.0]], [[3.0, 4.0, 0.0], None]), strict=False):
        _land_vectors(home, week, vectors)
        publish_week(home, week, publish_weeks=12)
    _land_vectors(home, WEEKS[0], [[9.0, 9.0]])
    counts = publish_week(home, WEEKS[0], publish_weeks=12)
    assert counts["track_vectors"] == 0, "a newer week's are there"
    with duckdb.connect(str(home.published), read_only=True) as connection:
        found = connection.execute(
            "select week, typeof(fused), array_distance(fused, [0, 0, 0]::float[3]) from track_vectors"
        ).fetchall()
    assert found == [(WEEKS[1], "FLOAT[3]", 5.0), (WEEKS[1], "FLOAT[3]", None)]


def test_a_file_holds_one_weeks_vectors_and_no_more(home: Home) -> None:
    sizes = []
    for week in WEEKS:
        random = np.random.default_rng(week.toordinal())
        _land_vectors(home, week, random.random((20_000, 64)).tolist())
        publish_week(home, week, publish_weeks=12)
        sizes.append(home.published.stat().st_size)
    assert max(sizes) < 1.4 * sizes[0]


def test_an_older_week_run_again_brings_vectors_to_a_file_that_has_none(home: Home) -> None:
    """The newest week was run by code that made none."""
    _land_marts(home, WEEKS[1], "t")
    publish_week(home, WEEKS[1], publish_weeks=12)
    with duckdb.connect(str(home.published), read_only=True) as connection:
        kept = {name for (name,) in connection.execute("select distinct table_name from duckdb_tables()").fetchall()}
    assert set(PUBLISHED_TABLES) <= kept
    shutil.rmtree(home.lake / "marts" / "track_vectors")
    _land_vectors(home, WEEKS[0], [[3.0, 4.0]])
    publish_week(home, WEEKS[0], publish_weeks=12)
    with duckdb.connect(str(home.published), read_only=True) as connection:
        assert connection.execute("select week, fused from track_vectors").fetchall() == [(WEEKS[0], (3.0, 4.0))]


def _outcomes(home: Home) -> list[tuple[dt.date, int]]:
    with duckdb.connect(str(home.published), read_only=True) as connection:
        return connection.execute("select week, plays from playlist_slot_outcomes order by all").fetchall()


def test_outcomes_of_a_list_are_those_of_the_newest_run_that_knew_of_it(home: Home) -> None:
    first, second, third, fourth = WEEKS
    known = [{}, {first: 1}, {first: 2, second: 3}, {second: 4, third: 5}]
    for week, outcomes in zip(WEEKS, known, strict=True):
        _land_marts(home, week, "t", outcomes=outcomes)
        publish_week(home, week, publish_weeks=12)
    assert _outcomes(home) == [(first, 2), (second, 4), (third, 5)]

    # Run again, an earlier week changes what only it knew last, and nothing that a later run knows.
    _land_marts(home, third, "t", outcomes={first: 7, second: 8})
    publish_week(home, third, publish_weeks=12)
    assert _outcomes(home) == [(first, 7), (second, 4), (third, 5)]
    _land_marts(home, third, "t", outcomes={})
    publish_week(home, third, publish_weeks=12)
    assert _outcomes(home) == [(second, 4), (third, 5)]

    # Lists that are no longer published take their outcomes with them.
    publish_week(home, fourth, publish_weeks=2)
    assert _outcomes(home) == [(third, 5)]


def test_outcomes_come_back_from_the_lake_like_everything_else(home: Home) -> None:
    for week, outcomes in zip(WEEKS[:3], [{}, {WEEKS[0]: 1}, {WEEKS[0]: 2, WEEKS[1]: 3}], strict=True):
        _land_marts(home, week, "t", outcomes=outcomes)
        publish_week(home, week, publish_weeks=12)
    home.published.chmod(0o644)
    with duckdb.connect(str(home.published)) as connection:
        connection.execute("drop table playlist_slot_outcomes")
    publish_week(home, WEEKS[1], publish_weeks=12)
    assert _outcomes(home) == [(WEEKS[0], 2), (WEEKS[1], 3)]


def test_the_file_is_read_only_has_no_wal_and_leaves_nothing_beside_it(home: Home) -> None:
    _land_marts(home, WEEKS[0], "t")
    publish_week(home, WEEKS[0], publish_weeks=12)
    assert [path.name for path in home.published.parent.iterdir()] == ["monday_mix.duckdb"]
    assert home.published.stat().st_mode & 0o777 == 0o444


def test_what_a_killed_publication_left_is_no_obstacle(home: Home) -> None:
    home.published.with_name(".monday_mix.duckdb.writing").write_bytes(b"half")
    home.published.with_name(".monday_mix.duckdb.writing.wal").write_bytes(b"half")
    _land_marts(home, WEEKS[0], "t")
    publish_week(home, WEEKS[0], publish_weeks=12)
    assert _titles(home) == [(WEEKS[0], "t")]


def test_a_reader_keeps_the_week_it_opened_and_finds_the_new_one_when_it_opens_again(home: Home) -> None:
    _land_marts(home, WEEKS[0], "old")
    publish_week(home, WEEKS[0], publish_weeks=12)
    with duckdb.connect(str(home.published), read_only=True) as reader:
        _land_marts(home, WEEKS[1], "new")
        publish_week(home, WEEKS[1], publish_weeks=12)
        assert reader.execute("select max(week) from latest_playlists").fetchone() == (WEEKS[0],)
    with duckdb.connect(str(home.published), read_only=True) as reader:
        assert reader.execute("select max(week) from latest_playlists").fetchone() == (WEEKS[1],)


def test_the_storage_is_one_that_older_shells_read(home: Home) -> None:
    _land_marts(home, WEEKS[0], "t")
    publish_week(home, WEEKS[0], publish_weeks=12)
    header = home.published.read_bytes()[:64]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 66  # the storage version of DuckDB 1.3
    profile = (WAREHOUSE_PROJECT / "profiles.yml").read_text(encoding="utf-8")
    assert f"storage_compatibility_version: {STORAGE_VERSION}\n" in profile


def test_publishing_may_hold_as_much_as_dbt(monkeypatch: pytest.MonkeyPatch) -> None:
    profile = (WAREHOUSE_PROJECT / "profiles.yml").read_text(encoding="utf-8")
    monkeypatch.delenv("MONDAY_MIX_DUCKDB_MEMORY", raising=False)
    assert f"env_var('MONDAY_MIX_DUCKDB_MEMORY', '{duckdb_memory()}')" in profile
    for machine_bytes, of_features in ((8 * 10**9, "4GB"), (26 * 10**9, "8GB")):
        monkeypatch.setattr(home_of_project, "_machine_bytes", lambda most=machine_bytes: most)
        assert (duckdb_memory("features"), duckdb_memory("marts")) == (of_features, "2GB")
    monkeypatch.setenv("MONDAY_MIX_DUCKDB_MEMORY", "1GB")
    assert {duckdb_memory(tag) for tag in ("", "features", "marts")} == {"1GB"}


def test_where_much_has_landed_dbt_builds_one_model_at_a_time(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONDAY_MIX_DBT_THREADS", raising=False)
    profile = (WAREHOUSE_PROJECT / "profiles.yml").read_text(encoding="utf-8")
    assert f"env_var('MONDAY_MIX_DBT_THREADS', '{dbt_threads(home)}')" in profile
    landed = home.intake / "events" / "a.parquet"
    landed.parent.mkdir(parents=True)
    with landed.open("wb") as file:
        file.truncate(home_of_project.MUCH_HAS_LANDED + 1)  # takes no room on disk
    assert dbt_threads(home) == "1"
    monkeypatch.setenv("MONDAY_MIX_DBT_THREADS", "3")
    assert dbt_threads(home) == "3"


def _vouch(home: Home, week: dt.date) -> None:
    """A manifest of what the lake has of the week."""
    tables = table_hashes(home, week, [name for name in MANIFEST_TABLES if name.startswith("marts/")])
    home.models(week).mkdir(parents=True, exist_ok=True)
    manifest = {"week": str(week), "tables": tables, "generated_at": "2026-11-02T00:05:00"}
    home.manifest(week).write_text(json.dumps(manifest))


def _published_and_made_again(home: Home) -> None:
    """Two weeks that were published, the first since made again and held up."""
    for week in WEEKS[:2]:
        _land_marts(home, week, "given")
        publish_week(home, week, publish_weeks=12)
        _vouch(home, week)
    _land_marts(home, WEEKS[0], "held up")


def test_lists_that_were_held_up_are_not_published_with_another_week(
    home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    _published_and_made_again(home)
    _land_marts(home, WEEKS[2], "new", extra=True)
    publish_week(home, WEEKS[2], publish_weeks=12)
    assert _titles(home) == [(WEEKS[0], "given"), (WEEKS[1], "given"), (WEEKS[2], "new")]
    assert f"{WEEKS[0]} was made again and not published; its published rows stay" in caplog.text
    assert not (home.spill / "kept").exists()
    publish_week(home, WEEKS[0], publish_weeks=12)
    assert _titles(home)[0] == (WEEKS[0], "held up"), "run to its end it is published"


def test_lists_that_were_held_up_are_not_published_with_all_weeks_anew(home: Home) -> None:
    _published_and_made_again(home)
    publish_anew(home, keep_published(home, [WEEKS[0]]))
    assert _titles(home) == [(WEEKS[0], "given"), (WEEKS[1], "given")]


def test_vectors_of_a_newest_week_that_was_held_up_stay_in_their_size(home: Home) -> None:
    for week, vectors in zip(WEEKS, ([[1.0, 0.0]], [[3.0, 4.0, 0.0], None]), strict=False):
        _land_vectors(home, week, vectors)
        publish_week(home, week, publish_weeks=12)
        _vouch(home, week)
    _land_vectors(home, WEEKS[1], [[9.0, 9.0, 9.0, 9.0]])
    vectors_given = [(WEEKS[1], "FLOAT[3]", (3.0, 4.0, 0.0)), (WEEKS[1], "FLOAT[3]", None)]
    publish_week(home, WEEKS[0], publish_weeks=12)
    assert _vectors(home) == vectors_given
    publish_anew(home, keep_published(home, [WEEKS[1]]))
    assert _vectors(home) == vectors_given


def _vectors(home: Home) -> list[tuple[dt.date, str, tuple[float, ...] | None]]:
    with duckdb.connect(str(home.published), read_only=True) as connection:
        return connection.execute("select week, typeof(fused), fused from track_vectors").fetchall()


@pytest.mark.parametrize("made_since", [False, True])
def test_a_column_that_a_release_removed_goes_with_it(home: Home, made_since: bool) -> None:
    _land_marts(home, WEEKS[0], "old", extra=True)
    publish_week(home, WEEKS[0], publish_weeks=12)
    _vouch(home, WEEKS[0])
    if made_since:
        _land_marts(home, WEEKS[0], "held up", extra=True)
    _land_marts(home, WEEKS[1], "new")
    publish_week(home, WEEKS[1], publish_weeks=12)
    assert _titles(home) == [(WEEKS[0], "old"), (WEEKS[1], "new")]
    with duckdb.connect(str(home.published), read_only=True) as connection:
        columns = [row[0] for row in connection.execute("describe weekly_playlist_tracks").fetchall()]
    assert "contribution_text" not in columns


def test_weeks_made_before_there_was_a_table_are_published_anew_without_it(home: Home) -> None:
    for week in WEEKS[:2]:
        _land_marts(home, week, "t")
        publish_week(home, week, publish_weeks=12)
        _vouch(home, week)
    for table, week in (("monitoring", WEEKS[0]), ("evaluation_metrics", WEEKS[0]), ("evaluation_metrics", WEEKS[1])):
        shutil.rmtree(Lake(home.lake).folder(f"marts/{table}", week))
    publish_anew(home, {})
    with duckdb.connect(str(home.published), read_only=True) as connection:
        assert connection.execute("select week from monitoring").fetchall() == [(WEEKS[1],)]
        there = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
        views = {
            name for (name,) in connection.execute("select view_name from duckdb_views() where not internal").fetchall()
        }
    assert "evaluation_metrics" not in there
    assert views == {"latest_playlists", "playlist_track_reasons"}
    assert len(_titles(home)) == 2
