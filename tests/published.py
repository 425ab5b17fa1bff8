"""What is published, in a form two homes can be compared by.

Belongs here: reading published files for tests. Does not: expectations.
"""

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from dagster_project.home import Home
from dagster_project.lake import Lake, content_hash
from dagster_project.manifest import VOLATILE_COLUMNS
from dagster_project.publishing import FILLED_IN_TABLES, NEWEST_WEEK_ONLY, PUBLISHED_TABLES


def published(home: Path) -> Path:
    """The published file of a home."""
    return home / "published" / "monday_mix.duckdb"


def query(home: Path, sql: str, *parameters: object) -> list[tuple[object, ...]]:
    """Rows of a query on the published file."""
    with duckdb.connect(str(published(home)), read_only=True) as connection:
        return connection.execute(sql, list(parameters)).fetchall()


def published_tables(home: Path, week: date) -> dict[str, pa.Table]:
    """Every published table's rows that one week's run made, in key order, without what differs from run to run.

    Those that are published for the newest week only are taken from the lake, which keeps every week.
    """
    lake = Lake(Home(home).lake)
    with duckdb.connect(str(published(home)), read_only=True) as connection:
        tables = {}
        for name in PUBLISHED_TABLES:
            kept = f"'{lake.path(f'marts/{name}', week)}'" if name in NEWEST_WEEK_ONLY else name
            made_in = "input_cutoff_at" if name in FILLED_IN_TABLES else "week"
            rows = connection.execute(f"select * from {kept} where {made_in} = ? order by all", [week]).to_arrow_table()
            tables[name] = rows.drop_columns([column for column in rows.column_names if column in VOLATILE_COLUMNS])
    return tables


def fingerprint(home: Path, week: date) -> dict[str, str]:
    """Hash of each published table's rows of one week."""
    return {name: content_hash(rows) for name, rows in published_tables(home, week).items()}
