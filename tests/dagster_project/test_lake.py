"""The lake's doors: a week is there whole or not at all."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.lake import NO_WEEK, Lake, content_hash
from models_ml.errors import InputError

WEEK = dt.date(2026, 11, 23)
ROWS = pa.table({"user_id": ["a", "b"], "plays": pa.array([1, None], pa.int64())})


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def test_what_was_written_is_read(lake: Lake) -> None:
    assert lake.replace_week("ml/slots", WEEK, ROWS) == 2
    assert lake.read_week("ml/slots", WEEK).equals(ROWS)


def test_a_week_is_replaced_whole(lake: Lake) -> None:
    lake.replace_week("ml/slots", WEEK, ROWS)
    lake.replace_week("ml/slots", WEEK, ROWS.slice(1))
    assert lake.read_week("ml/slots", WEEK).to_pylist() == [{"user_id": "b", "plays": None}]


def test_a_week_without_its_marker_does_not_count(lake: Lake) -> None:
    folder = lake.folder("ml/slots", WEEK)
    folder.mkdir(parents=True)
    pq.write_table(ROWS, folder / "part.parquet")
    assert not lake.has_week("ml/slots", WEEK)
    with pytest.raises(InputError, match="ml/slots: no week 2026-11-23"):
        lake.read_week("ml/slots", WEEK)


def test_a_half_written_file_left_behind_changes_nothing(lake: Lake) -> None:
    lake.replace_week("ml/slots", WEEK, ROWS)
    (lake.folder("ml/slots", WEEK) / ".part.parquet.writing").write_bytes(b"PAR1 half")
    assert lake.read_week("ml/slots", WEEK).equals(ROWS)
    lake.replace_week("ml/slots", WEEK, ROWS)
    assert lake.read_week("ml/slots", WEEK).equals(ROWS)


def test_no_rows_keep_their_columns(lake: Lake) -> None:
    assert lake.replace_week("ml/slots", WEEK, iter([]), ROWS.schema) == 0
    assert lake.read_week("ml/slots", WEEK).schema == ROWS.schema


def test_batches_are_written_as_they_come(lake: Lake) -> None:
    batches = (ROWS.slice(at, 1).to_batches()[0] for at in range(2))
    assert lake.replace_week("ml/slots", WEEK, batches, ROWS.schema) == 2
    assert lake.read_week("ml/slots", WEEK).equals(ROWS)


def test_what_dbt_wrote_is_adopted_and_lent_back(lake: Lake, tmp_path: Path) -> None:
    file = tmp_path / ".dbt" / "listeners.parquet"
    file.parent.mkdir()
    pq.write_table(ROWS, file)
    assert lake.adopt("features/listeners", WEEK, file) == 2
    file.unlink()
    lake.lend("features/listeners", WEEK, file)
    assert pq.read_table(file).equals(ROWS)


def test_writing_beside_an_adopted_file_leaves_the_week_as_it_was(lake: Lake, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    file = tmp_path / "listeners.parquet"
    pq.write_table(ROWS, file)
    lake.adopt("features/listeners", WEEK, file)
    with duckdb.connect() as connection:  # as dbt's external models write
        connection.execute(f"copy (select 'c' as user_id, 9 as plays) to '{file}' (format parquet)")
    assert pq.read_table(file).num_rows == 1
    assert lake.read_week("features/listeners", WEEK).equals(ROWS)


def test_a_stand_in_is_made_once_and_follows_its_schema(lake: Lake) -> None:
    lake.ensure_stand_in("ml/slots", ROWS.schema)
    before = (lake.folder("ml/slots", NO_WEEK) / "part.parquet").stat().st_mtime_ns
    lake.ensure_stand_in("ml/slots", ROWS.schema)
    assert (lake.folder("ml/slots", NO_WEEK) / "part.parquet").stat().st_mtime_ns == before
    wider = ROWS.schema.append(pa.field("skips", pa.int64()))
    lake.ensure_stand_in("ml/slots", wider)
    assert lake.read_week("ml/slots", NO_WEEK).schema == wider


def test_the_hash_of_a_week_is_of_its_rows_and_not_of_its_batches(lake: Lake) -> None:
    split = pa.concat_tables([ROWS.slice(0, 1), ROWS.slice(1, 1)])
    assert content_hash(split) == content_hash(ROWS)
    assert content_hash(ROWS.slice(1)) != content_hash(ROWS)
    assert content_hash(ROWS.rename_columns(["user_id", "skips"])) != content_hash(ROWS)
    lake.replace_week("ml/slots", WEEK, ROWS)
    assert lake.content_hash("ml/slots", WEEK, leave_out=frozenset({"plays"})) == content_hash(ROWS.select(["user_id"]))


def test_rows_are_appended_and_take_the_old_ones_place_only_at_the_end(tmp_path):
    lake, week = Lake(tmp_path), dt.date(2026, 11, 23)
    old, schema = pa.table({"a": [1]}), pa.schema([("a", pa.int64())])
    lake.replace_week("layer/table", week, old)
    with lake.writing("layer/table", week, schema) as keep:
        keep(pa.table({"a": [2, 3]}))
        assert lake.read_week("layer/table", week).equals(old)
        keep(pa.table({"a": [4]}))
    assert lake.read_week("layer/table", week)["a"].to_pylist() == [2, 3, 4]
    assert lake.row_count("layer/table", week) == 3
    assert [batch.num_rows for batch in lake.batches("layer/table", week, 2)] == [2, 1]


def test_a_write_that_breaks_leaves_what_was_there(tmp_path):
    lake, week = Lake(tmp_path), dt.date(2026, 11, 23)
    lake.replace_week("layer/table", week, pa.table({"a": [1]}))

    def breaking() -> None:
        with lake.writing("layer/table", week, pa.schema([("a", pa.int64())])) as keep:
            keep(pa.table({"a": [2]}))
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        breaking()
    assert lake.read_week("layer/table", week)["a"].to_pylist() == [1]


def test_the_hash_of_many_rows_is_the_same_however_they_are_cut(lake: Lake) -> None:
    count = 150_000
    numbers = pa.array(range(count), pa.int64())
    texts = pa.array([None if i % 7 == 0 else f"t{i}" for i in range(count)], pa.string())
    rows = pa.table({"plays": numbers, "user_id": texts, "liked": pa.array([i % 3 == 0 for i in range(count)])})
    cut = pa.concat_tables([rows.slice(0, 1), rows.slice(1, 65_536), rows.slice(65_537, 3), rows.slice(65_540)])
    assert content_hash(cut) == content_hash(rows)
    lake.replace_week("ml/slots", WEEK, rows)
    assert lake.content_hash("ml/slots", WEEK) == content_hash(rows)
    other = rows.set_column(0, "plays", pa.array([*range(count - 1), 0], pa.int64()))
    assert content_hash(other) != content_hash(rows)


def test_what_lies_under_a_null_does_not_count_and_where_the_null_is_does():
    def numbers(under: float, nulls: list[bool]) -> pa.Table:
        values = np.where(nulls, under, [1.0, 2.0, 3.0])
        array = pa.Array.from_buffers(
            pa.float64(), 3, [pa.py_buffer(np.packbits(~np.array(nulls), bitorder="little")), pa.py_buffer(values)]
        )
        return pa.table({"kl": array})

    middle = [False, True, False]
    assert content_hash(numbers(7.0, middle)) == content_hash(numbers(0.0, middle))
    assert content_hash(numbers(0.0, middle)) != content_hash(numbers(0.0, [False, False, True]))
    assert content_hash(numbers(0.0, middle)) != content_hash(pa.table({"kl": [1.0, 0.0, 3.0]}))
    assert content_hash(numbers(0.0, middle)) != content_hash(pa.table({"kl": [1.0, 3.0]}))
