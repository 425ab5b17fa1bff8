"""Tests of the array building blocks."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.arrays import Pairs, column, in_order, pairs, place_in_row, ranges, spread, stable_order
from models_ml.errors import InputError


def test_ranges_cover_everything_once():
    assert ranges(5, 2) == [(0, 2), (2, 4), (4, 5)]
    assert ranges(0, 2) == []


def test_spread_lays_ranges_one_after_the_other():
    assert spread(np.array([5, 0, 7]), np.array([2, 0, 3])).tolist() == [5, 6, 7, 8, 9]
    assert spread(np.array([], dtype=int), np.array([], dtype=int)).tolist() == []


def test_place_in_row_counts_from_zero_in_each_row():
    assert place_in_row(np.array([0, 0, 2, 2, 2, 5])).tolist() == [0, 1, 0, 1, 2, 0]


@given(st.lists(st.integers(0, 5) | st.integers(2**62, 2**63 - 1), max_size=30))
def test_keys_are_put_in_order_and_equal_ones_stay_as_they_stood(keys):
    keys = np.array(keys, dtype=np.int64)
    assert stable_order(keys).tolist() == np.argsort(keys, kind="stable").tolist()


@pytest.mark.parametrize("threads", [1, 3])
def test_blocks_come_back_in_order(threads):
    assert list(in_order(lambda block: block * 2, range(20), threads)) == [block * 2 for block in range(20)]


@given(
    st.sets(st.tuples(st.integers(0, 5), st.integers(0, 7))),
    st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 9)), max_size=30),
)
def test_find_gives_the_place_of_a_pair_or_minus_one(members, asked):
    held = sorted(members)
    owners = np.array([owner for owner, _ in held], dtype=np.int64)
    index = Pairs(
        np.searchsorted(owners, np.arange(7)).astype(np.int64), np.array([value for _, value in held], np.int32), 10
    )
    found = index.find(
        np.array([owner for owner, _ in asked], np.int64), np.array([value for _, value in asked], np.int64)
    )
    assert found.tolist() == [held.index(pair) if pair in members else -1 for pair in asked]


def test_a_missing_column_is_named_with_those_there_are():
    with pytest.raises(InputError, match="recordings: column age is missing; it has a, b"):
        column(pa.table({"a": [1], "b": [2]}), "recordings", "age", np.int64)


def test_a_column_of_another_type_is_named():
    with pytest.raises(InputError, match="t: column a is double, which does not fit int32"):
        column(pa.table({"a": [1.5]}), "t", "a", np.int32)


def test_pairs_out_of_order_are_refused_with_their_row():
    table = pa.table({"u": [0, 1, 1], "r": [2, 3, 1]})
    with pytest.raises(InputError, match=r"t: row 2 \(u 1, r 1\) repeats a pair or is out of order"):
        pairs(table, "t", "u", "r", 2, 4)
