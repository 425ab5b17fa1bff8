"""Tables and views of the warehouse take the place of what had their name, whatever it was."""

import datetime as dt
from pathlib import Path

import duckdb

from dagster_project.assets.warehouse import manifest
from dagster_project.home import Home
from dagster_project.inputs import fix_week_files
from dagster_project.resources import dbt_environment, prepare_home, warehouse_dbt
from tests.worlds import MONDAY, land

TABLE, VIEW = "stg_week_files", "stg_committed_weeks"


def test_a_model_replaces_itself_and_what_was_of_another_kind(tmp_path: Path) -> None:
    home = Home(tmp_path)
    prepare_home(home)
    land(home.landing, "tracks/t.parquet", [{"track_id": "t", "title": "T", "artist_id": "a", "artist_name": "A"}])
    land(home.landing, "events/e.parquet", [{"user_id": "u", "event_type": "play", "occurred_at": MONDAY}])
    fix_week_files(home, MONDAY, dt.datetime(2026, 11, 23), refresh=False, progress=lambda line: None)
    with duckdb.connect(str(home.warehouse)) as connection:
        connection.execute(f"create view {TABLE} as select 1 as number")
        connection.execute(f"create table {VIEW} as select 1 as number")
    for _ in range(2):
        with dbt_environment(home, MONDAY):
            arguments = ["run", "--select", f"{TABLE} {VIEW}"]
            warehouse_dbt().cli(arguments, manifest=manifest, target_path=home.dbt_target).wait()
        with duckdb.connect(str(home.warehouse), read_only=True) as connection:
            tables = connection.execute("select table_name from duckdb_tables()").fetchall()
            views = connection.execute("select view_name from duckdb_views() where not internal").fetchall()
            columns = [row[0] for name in (TABLE, VIEW) for row in connection.execute(f"describe {name}").fetchall()]
        assert (tables, views) == ([(TABLE,)], [(VIEW,)])
        assert "number" not in columns
