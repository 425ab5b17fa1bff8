"""Publishing: one DuckDB file that people query, replaced whole and at once.

Belongs here: copying the file, replacing a week in it, renaming it. Does not: what the tables hold
(warehouse/models/marts) or whether a week may be published (the checks).
"""

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from dagster_project.held_up import is_held_up
from dagster_project.home import STORAGE_VERSION, WAREHOUSE_PROJECT, Home, duckdb_memory
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest
from dagster_project.progress import LOG
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


Kept = Mapping[dt.date, Path]


def publish_anew(home: Home, kept: Kept) -> None:
    """The published weeks once more from the lake, into a file that holds nothing else.

    In a file that is changed, rows that were deleted stay as bytes until something is written over them.
    kept: of weeks that were made again and not published, the rows that are published (`keep_published`).
    """
    weeks = published_weeks(home)
    if weeks:
        _publish(home, weeks, weeks[-1], PUBLISHED_TABLES, _Rows(home, None, kept))


def publish_week(
    home: Home, week: dt.date, publish_weeks: int, tables: Sequence[str] = PUBLISHED_TABLES
) -> dict[str, int]:
    """Replace `week` in the published file and keep the newest `publish_weeks`.

    The file that is there is copied, changed beside, checkpointed, closed, synced and renamed, so that
    a reader has the old file or the new one, at any moment. Of NEWEST_WEEK_ONLY the newest of them alone is kept.
    Other weeks come from the lake where a table has other columns now; those that were made again and not published
    keep the rows that are in the file. Returns rows by table for the week.
    """
    weeks = sorted({*published_weeks(home), week})[-publish_weeks:]
    return _publish(home, weeks, week, tables, _Rows(home, week))


def keep_published(home: Home, weeks: Sequence[dt.date]) -> dict[dt.date, Path]:
    """The rows that the runs of these weeks published, as Parquet: a folder each, a file a table that is there."""
    root = _kept_folder(home)
    shutil.rmtree(root, ignore_errors=True)
    kept = {week: root / week.isoformat() for week in weeks}
    if not weeks or not home.published.exists():
        return {}
    with duckdb.connect(str(home.published), read_only=True) as connection:
        there = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
        for week, folder in kept.items():
            folder.mkdir(parents=True)
            for table in sorted(there & set(PUBLISHED_TABLES)):
                whose = "input_cutoff_at" if table in FILLED_IN_TABLES else "week"
                rows = f"from {table} where {whose} = '{week}'"
                if table not in NEWEST_WEEK_ONLY or connection.execute(f"select 1 {rows} limit 1").fetchone():
                    file = _quoted(folder / f"{table}.parquet")
                    connection.execute(f"copy ({rows}) to '{file}' (format parquet, compression zstd)")
    return kept


def _kept_folder(home: Home) -> Path:
    return home.spill / "kept"


@dataclass(frozen=True)
class _Rows:
    """Where the rows of a week are.

    own: the week that is published, from the lake whatever its manifest says.  given: of others, what is kept as it is
    published; found out where it is asked for, unless it is given.
    """

    home: Home
    own: dt.date | None
    given: Kept | None = None

    @property
    def lake(self) -> Lake:
        return Lake(self.home.lake)

    @cached_property
    def kept(self) -> Kept:
        if self.given is not None:
            return self.given
        held_up = [week for week in published_weeks(self.home) if week != self.own and is_held_up(self.home, week)]
        for week in held_up:
            LOG.info(f"{week} was made again and not published; its published rows stay")
        return keep_published(self.home, held_up)

    def of(self, table: str, week: dt.date) -> str | None:
        """SQL of the rows; None where the week was made before there was such a table."""
        if week != self.own and week in self.kept:
            file = self.kept[week] / f"{table}.parquet"
            if file.exists():
                return f"read_parquet('{_quoted(file)}', hive_partitioning = false)"
            if read_manifest(self.home, week) is not None:
                return None
        if week != self.own and not self.lake.has_week(f"marts/{table}", week):
            return None
        file = self.lake.path(f"marts/{table}", week)
        return f"read_parquet('{_quoted(file)}', hive_partitioning = false)"


def _publish(home: Home, weeks: list[dt.date], week: dt.date, tables: Sequence[str], rows: _Rows) -> dict[str, int]:
    """The file anew; where no week is rows' own, all are read once more and the file that is there isn't copied."""
    beside = home.published.with_name(f".{home.published.name}.writing")
    _remove(beside)
    if home.published.exists() and rows.own:
        shutil.copyfile(home.published, beside)
    with _opened(beside, home.spill) as connection:
        for table in tables:
            replace = _replace_whole if table in NEWEST_WEEK_ONLY else _replace_table
            replace(connection, rows, table, week, weeks)
        _make_views(connection, is_whole=rows.own is not None)
        counts = {table: _count(connection, table, week) for table in tables}
        connection.execute("checkpoint")
    _sync(beside)
    beside.chmod(0o444)
    os.replace(beside, home.published)
    _sync(home.published.parent)
    shutil.rmtree(_kept_folder(home), ignore_errors=True)
    return counts


def _make_views(connection: duckdb.DuckDBPyConnection, is_whole: bool) -> None:
    """Weeks that were all made before there was a table or a column have no view of it, until the next is published."""
    for view in connection.extract_statements(VIEWS.read_text(encoding="utf-8")):
        try:
            connection.execute(view)
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            if is_whole:
                raise
            LOG.info(f"a view of the published file waits for the next week: {error}")


def published_weeks(home: Home) -> list[dt.date]:
    """Weeks of the published file, oldest first."""
    if not home.published.exists():
        return []
    with duckdb.connect(str(home.published), read_only=True) as connection:
        rows = connection.execute("select distinct week from weekly_playlists order by week").fetchall()
    return [row[0] for row in rows]


def _replace_table(
    connection: duckdb.DuckDBPyConnection, rows: _Rows, table: str, week: dt.date, weeks: list[dt.date]
) -> None:
    new = rows.of(table, week)
    shape = new or next((found for other in reversed(weeks) if (found := rows.of(table, other))), None)
    if shape is None:
        return
    if _columns(connection, f"from {shape}") != _columns(connection, f"from {table}", missing_is_empty=True):
        # First publication, or a column came or went: made anew from the lake, which keeps every week.
        others = [(other, rows.of(table, other)) for other in weeks if other != week]
        connection.execute(f"create or replace table {table} as from {shape} limit 0")
        for other, theirs in others:
            if theirs:
                _put(connection, table, other, theirs)
    if week in weeks and new:
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
    # A column that a release since has removed is in that week's file alone.
    still = {name for name, _ in _columns(connection, f"from {table}")}
    names = ", ".join(name for name, _ in _columns(connection, f"from {rows}") if name in still)
    insert = f"insert into {table} by name select {names} from {rows} {kept}"
    connection.execute(insert, {"week": week} if kept else None)


def _replace_whole(
    connection: duckdb.DuckDBPyConnection, rows: _Rows, table: str, week: dt.date, weeks: list[dt.date]
) -> None:
    in_lake = max((other for other in weeks if rows.lake.has_week(f"marts/{table}", other)), default=week)
    if rows.own and in_lake != week and _count(connection, table, in_lake):
        return  # a newer week's are there, as they were published
    candidates = (in_lake, week) if rows.own else reversed(weeks)
    found = ((other, theirs) for other in candidates if (theirs := rows.of(table, other)))
    newest, new = next(found, (week, None))
    if new is None:
        return
    is_kept = newest != rows.own and newest in rows.kept
    sizes = _sizes_of(connection, new) if is_kept else vector_sizes(rows.lake, newest)
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


def _sizes_of(connection: duckdb.DuckDBPyConnection, rows: str) -> dict[str, int]:
    """How many numbers each vector of these rows has; the lake's are another run's."""
    names = [name for name, type_ in _columns(connection, f"from {rows}") if type_ == "FLOAT[]"]
    if not names:
        return {}
    lengths = connection.execute(f"select {', '.join(f'max(len({name}))' for name in names)} from {rows}").fetchone()
    return {name: length for name, length in zip(names, lengths or (), strict=True) if length}


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
    if not _columns(connection, f"from {table}", missing_is_empty=True):
        return 0
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
