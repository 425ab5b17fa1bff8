"""Publishing: one DuckDB file that people query, replaced whole and at once.

Belongs here: copying the file, replacing a week in it, renaming it. Does not: what the tables hold
(warehouse/models/marts) or whether a week may be published (the checks).
"""

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_project.home import STORAGE_VERSION, WAREHOUSE_PROJECT, Home, duckdb_memory
from dagster_project.lake import Lake
from dagster_project.table_schemas import vector_sizes

PUBLISHED_TABLES = (
    "weekly_playlists",
    "weekly_playlist_tracks",
    "playlist_slot_outcomes",
    "bandit_arms",
    "playlist_relaxations",
    "rejected_candidates",
    "candidate_funnel",
    "evaluation_metrics",
    "evaluation_comparisons",
    "exposure_report",
    "off_policy_estimates",
    "monitoring",
    "track_vectors",
    "track_sounds",
    "track_rungs",
    "config_comparisons",
    "experiment_assignments",
    "experiment_exposures",
    "experiment_results",
)
# Vectors of two weeks lie in two spaces, and they and what goes with them are larger than all lists of a week.
# Who is in which variant, and has met it, each week knows of everyone.
NEWEST_WEEK_ONLY = ("track_vectors", "track_sounds", "experiment_assignments", "experiment_exposures")
# Rows of lists of earlier weeks, which fill in: input_cutoff_at says as of which run.
FILLED_IN_TABLES = frozenset({"playlist_slot_outcomes"})
VIEWS = WAREHOUSE_PROJECT / "published_views.sql"


def publish_anew(home: Home) -> None:
    """The published weeks once more from the lake, into a file that holds nothing else.

    In a file that is changed, rows that were deleted stay as bytes until something is written over them.
    """
    weeks = _published_weeks(home)
    if weeks:
        publish_week(home, weeks[-1], len(weeks), from_nothing=True)


def publish_week(
    home: Home,
    week: dt.date,
    publish_weeks: int,
    tables: Sequence[str] = PUBLISHED_TABLES,
    from_nothing: bool = False,
) -> dict[str, int]:
    """Replace `week` in the published file and keep the newest `publish_weeks`.

    The file that is there is copied, changed beside, checkpointed, closed, synced and renamed, so that
    a reader has the old file or the new one, at any moment. Of NEWEST_WEEK_ONLY the newest of them alone is kept.
    from_nothing: all of them are read from the lake, the file that is there isn't copied.
    Returns rows by table for the week.
    """
    lake = Lake(home.lake)
    beside = home.published.with_name(f".{home.published.name}.writing")
    _remove(beside)
    weeks = _weeks_to_keep(home, week, publish_weeks)
    if home.published.exists() and not from_nothing:
        shutil.copyfile(home.published, beside)
    with _opened(beside, home.spill) as connection:
        for table in tables:
            if table in NEWEST_WEEK_ONLY:
                _replace_whole(connection, lake, table, week, weeks)
            else:
                _replace_table(connection, lake, table, week, weeks)
        connection.execute(VIEWS.read_text(encoding="utf-8"))
        counts = {table: _count(connection, table, week) for table in tables}
        connection.execute("checkpoint")
    _sync(beside)
    beside.chmod(0o444)
    os.replace(beside, home.published)
    _sync(home.published.parent)
    return counts


def _weeks_to_keep(home: Home, week: dt.date, publish_weeks: int) -> list[dt.date]:
    return sorted({*_published_weeks(home), week})[-publish_weeks:]


def _published_weeks(home: Home) -> list[dt.date]:
    if not home.published.exists():
        return []
    with duckdb.connect(str(home.published), read_only=True) as connection:
        rows = connection.execute("select distinct week from weekly_playlists order by week").fetchall()
    return [row[0] for row in rows]


def _replace_table(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: str, week: dt.date, weeks: list[dt.date]
) -> None:
    new = _rows_of(lake, table, week)
    if _columns(connection, f"from {new}") != _columns(connection, f"from {table}", missing_is_empty=True):
        # First publication, or a column came or went: made anew from the lake, which keeps every week.
        connection.execute(f"create or replace table {table} as from {new} limit 0")
        for other in weeks:
            if other != week and lake.has_week(f"marts/{table}", other):
                _put(connection, table, other, _rows_of(lake, table, other))
    if week in weeks:
        _put(connection, table, week, new)
    connection.execute(f"delete from {table} where week < ?", [weeks[0]])


def _put(connection: duckdb.DuckDBPyConnection, table: str, week: dt.date, rows: str) -> None:
    """The rows that the run of `week` made, in place of those it made before.

    Where lists of earlier weeks fill in, each list's rows are put in place of what earlier runs knew of it; what a
    later run knows stays.
    """
    taken, kept = "week = $week", ""
    if table in FILLED_IN_TABLES:
        known_later = f"week in (select week from {table} where input_cutoff_at > $week)"
        taken = f"input_cutoff_at = $week or (week in (select week from {rows}) and not {known_later})"
        kept = f"where not {known_later}"
    connection.execute(f"delete from {table} where {taken}", {"week": week})
    connection.execute(f"insert into {table} by name from {rows} {kept}", {"week": week} if kept else None)


def _rows_of(lake: Lake, table: str, week: dt.date) -> str:
    return f"read_parquet('{_quoted(lake.path(f'marts/{table}', week))}', hive_partitioning = false)"


def _replace_whole(
    connection: duckdb.DuckDBPyConnection, lake: Lake, table: str, week: dt.date, weeks: list[dt.date]
) -> None:
    newest = max((other for other in weeks if lake.has_week(f"marts/{table}", other)), default=week)
    new, sizes = _rows_of(lake, table, newest), vector_sizes(lake, newest)
    # Parquet knows lists only: what the contract has as float[n] is so again here.
    arrays = [
        f"cast({name} as float[{sizes[name]}]) as {name}"
        for name, type_ in _columns(connection, f"from {new}")
        if type_ == "FLOAT[]" and name in sizes
    ]
    connection.execute(f"drop table if exists {table}")
    # The new rows take the place of the old ones; without this the file holds both.
    connection.execute("checkpoint")
    replaced = f"replace ({', '.join(arrays)})" if arrays else ""
    connection.execute(f"create table {table} as select * {replaced} from {new}")


def _columns(
    connection: duckdb.DuckDBPyConnection, query: str, missing_is_empty: bool = False
) -> list[tuple[str, str]]:
    try:
        return [(row[0], row[1]) for row in connection.execute(f"describe {query}").fetchall()]
    except duckdb.CatalogException:
        if missing_is_empty:
            return []
        raise


def _count(connection: duckdb.DuckDBPyConnection, table: str, week: dt.date) -> int:
    row = connection.execute(f"select count(*) from {table} where week = ?", [week]).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def _opened(path: Path, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    if path.exists():
        path.chmod(0o644)
    # Dictionaries make the file as small as FSST does, in less time.
    settings = {"memory_limit": duckdb_memory(), "temp_directory": str(spill), "disabled_compression_methods": "fsst"}
    with duckdb.connect(config=settings) as connection:
        version = "" if path.exists() else f" (storage_version '{STORAGE_VERSION}')"
        connection.execute(f"attach '{_quoted(path)}' as monday_mix{version}")
        connection.execute("use monday_mix")
        yield connection
        connection.execute("use memory")
        connection.execute("detach monday_mix")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
