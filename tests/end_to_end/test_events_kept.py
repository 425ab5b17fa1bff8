"""Events typed once: what an earlier run typed is read again by no later one, unless something else would come of it.

Belongs here: what stays in dbt's file from run to run. Does not: what rows mean (the warehouse's unit tests).
"""

import datetime as dt
import json

import duckdb
import pytest

from dagster_project.assets.warehouse import manifest
from dagster_project.home import Home
from dagster_project.inputs import fix_week_files
from dagster_project.resources import dbt_environment, prepare_home, warehouse_dbt
from tests.worlds import MONDAY, land

LANDED_AT = dt.datetime(2026, 11, 22, 12)
MODELS = "stg_week_files base_landed_events base_events"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("kept"))
    prepare_home(home)
    land(home.landing, "tracks/t.parquet", [{"track_id": "t", "title": "T", "artist_id": "a", "artist_name": "A"}])
    land(home.landing, "events/b.parquet", [_event("one", 18), _event("two", 22)])
    return home


def test_a_file_is_typed_once_and_gone_with_the_list_that_names_it(home: Home) -> None:
    assert _staged(home) == [(1, "one", None), (1, "two", None)]
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute("update base_landed_events set track_id = 'marked' where user_id = 'one'")
    land(home.landing, "events/a.parquet", [_event("three", 20)])
    assert _staged(home) == [(1, "three", None), (2, "one", None), (2, "two", None)], "numbers go by path"
    assert _query(home, "select track_id from base_events where user_id = 'one'") == [("marked",)], "not read again"

    (home.landing / "events" / "a.parquet").unlink()
    assert _staged(home) == [(1, "one", None), (1, "two", None)]
    assert _query(home, "select count(*) from base_landed_events") == [(2,)]


def test_rows_are_typed_anew_where_a_setting_makes_others_of_them(home: Home) -> None:
    assert _staged(home, clock_tolerance_hours=8) == [(1, "one", None), (1, "two", "time_after_file_was_seen")]
    assert _query(home, "select track_id from base_events where user_id = 'one'") == [("t",)], "the mark is gone"


def _event(user_id: str, hour: int) -> dict[str, object]:
    at = dt.datetime(2026, 11, 22, hour)
    return {"user_id": user_id, "event_type": "play", "track_id": "t", "occurred_at": at}


def _staged(home: Home, **settings: object) -> list[tuple[object, ...]]:
    """Number of its file, listener, why it can't be used: each event, after a run over what has landed."""
    fix_week_files(home, MONDAY, LANDED_AT, refresh=True, progress=lambda line: None)
    with dbt_environment(home, MONDAY):
        arguments = ["run", "--vars", json.dumps(settings), "--select", MODELS]
        warehouse_dbt().cli(arguments, manifest=manifest, target_path=home.dbt_target).wait()
    return _query(home, "select file_number, user_id, quarantine_reason from base_events order by all")


def _query(home: Home, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        return connection.execute(sql).fetchall()
