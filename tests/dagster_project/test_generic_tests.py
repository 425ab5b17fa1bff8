"""The warehouse's own generic tests, their SQL on a few rows: what makes one fail, and which rows it returns."""

import duckdb
import jinja2
import pytest

from dagster_project.home import WAREHOUSE_PROJECT

ROWS = "(values ('a', 1, 'x'), ('a', 2, 'y'), ('b', 1, 'z')"


def faults(rows: str, columns: list[str], never_null: list[str]) -> list[tuple[object, ...]]:
    """Rows that the test `primary_key` returns for a table of these."""
    text = (WAREHOUSE_PROJECT / "macros" / "generic_tests.sql").read_text(encoding="utf-8")
    body = text.split("{% test primary_key(model, columns, never_null=[]) %}")[1].split("{% endtest %}")[0]
    table = f"(select * from {rows} as listed (user_id, position, track_id))"
    sql = jinja2.Template(body).render(model=table, columns=columns, never_null=never_null)
    with duckdb.connect() as connection:
        return sorted(connection.execute(sql).fetchall(), key=repr)


def test_whole_rows_with_a_key_each_pass() -> None:
    assert faults(f"{ROWS})", ["user_id", "position"], ["track_id"]) == []


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("('b', 1, 'other')", [("b", 1, "more than once")]),
        ("('c', null, 'v')", [("c", None, "incomplete")]),
        ("('c', 1, null)", [("c", 1, "incomplete")]),
        ("('b', 1, null)", [("b", 1, "incomplete"), ("b", 1, "more than once")]),
    ],
)
def test_a_key_twice_and_a_missing_value_are_named(added: str, expected: list[tuple[object, ...]]) -> None:
    assert faults(f"{ROWS}, {added})", ["user_id", "position"], ["track_id"]) == expected
