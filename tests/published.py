"""What is published, in a form two homes can be compared by.

Belongs here: reading published files for tests. Does not: expectations.
"""

import io
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.lake import content_hash
from dagster_project.manifest import VOLATILE_COLUMNS
from dagster_project.publishing import FILLED_IN_TABLES, PUBLISHED_TABLES


def published(home: Path) -> Path:
    """The published file of a home."""
    return home / "published" / "monday_mix.duckdb"


def query(home: Path, sql: str, *parameters: object) -> list[tuple[object, ...]]:
    """Rows of a query on the published file."""
    with duckdb.connect(str(published(home)), read_only=True) as connection:
        return connection.execute(sql, list(parameters)).fetchall()


def published_tables(home: Path, week: date) -> dict[str, pa.Table]:
    """Every published table's rows that one week's run made, in key order, without what differs from run to run."""
    with duckdb.connect(str(published(home)), read_only=True) as connection:
        tables = {}
        for name in PUBLISHED_TABLES:
            made_in = "input_cutoff_at" if name in FILLED_IN_TABLES else "week"
            query = f"select * from {name} where {made_in} = ? order by all"
            rows = connection.execute(query, [week]).to_arrow_table()
            volatile = [column for column in rows.column_names if column in VOLATILE_COLUMNS]
            tables[name] = _without_leftovers(rows.drop_columns(volatile))
    return tables


def _without_leftovers(rows: pa.Table) -> pa.Table:
    """The same rows by way of Parquet: what DuckDB leaves in memory beneath a null differs from time to time."""
    whole = io.BytesIO()
    pq.write_table(rows, whole)
    return pq.read_table(whole)


def fingerprint(home: Path, week: date) -> dict[str, str]:
    """Hash of each published table's rows of one week."""
    return {name: content_hash(rows) for name, rows in published_tables(home, week).items()}
