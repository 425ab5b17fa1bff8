"""Tests of paired intervals: what a difference is, whose it is, and that pairing narrows it."""

import numpy as np
import pytest

from models_ml.errors import InputError
from models_ml.evaluation.bootstrap import paired_difference
from models_ml.evaluation.paired import paired_intervals


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)[:, None]


def test_the_difference_is_of_the_means_and_the_ratio_their_quotient():
    found = paired_intervals(column(1.0, 0.5, 0.0), column(0.5, 0.25, 0.0), 100, 1)
    assert found.difference[0, 0] == pytest.approx(0.75 / 3)
    assert found.ratio[0, 0] == pytest.approx(2.0)
    assert found.low[0, 0] <= found.difference[0, 0] <= found.high[0, 0]
    assert found.count.tolist() == [[3]]


def test_it_is_the_paired_difference_of_each_column():
    random = np.random.default_rng(0)
    a, b = random.random((200, 3)), random.random((200, 3))
    found = paired_intervals(a, b, 1000, 7)
    for place in range(3):
        one = paired_difference(a[:, place], b[:, place], 7)
        assert (found.difference[0, place], found.count[0, place]) == (pytest.approx(one.mean), one.count)
        assert (found.low[0, place], found.high[0, place]) == pytest.approx((one.low, one.high), abs=1e-12)


def test_each_column_is_what_it_would_be_alone_whatever_the_others_lack():
    random = np.random.default_rng(0)
    a, b = random.random((200, 5)), random.random((200, 5))
    a[::3, 1:3] = np.nan
    b[5:60, 3] = np.nan
    groups = np.stack([np.ones(200, dtype=bool), np.arange(200) < 90], axis=1)
    found = paired_intervals(a, b, 300, 7, groups)
    for place in range(5):
        alone = paired_intervals(a[:, [place]], b[:, [place]], 300, 7, groups)
        for name in ("difference", "ratio", "low", "high", "count"):
            np.testing.assert_allclose(getattr(found, name)[:, place], getattr(alone, name)[:, 0], atol=1e-12)
    assert found.count[0].tolist() == [200, 133, 133, 145, 200]


def test_swapped_it_is_the_other_way_round():
    random = np.random.default_rng(3)
    a, b = random.random((50, 2)), random.random((50, 2))
    there, back = paired_intervals(a, b, 200, 5), paired_intervals(b, a, 200, 5)
    np.testing.assert_allclose(there.difference, -back.difference, atol=1e-12)
    np.testing.assert_allclose(there.low, -back.high, atol=1e-12)
    np.testing.assert_allclose(there.ratio, 1 / back.ratio, atol=1e-12)


def test_who_lacks_a_value_under_either_is_left_out_of_both():
    a, b = column(1.0, np.nan, 5.0, 3.0), column(2.0, 9.0, np.nan, 6.0)
    found = paired_intervals(a, b, 100, 1)
    assert (found.difference[0, 0], found.ratio[0, 0], found.count[0, 0]) == (-2.0, pytest.approx(0.5), 2)


def test_groups_are_compared_by_themselves():
    a, b = column(1.0, 1.0, 0.0, 0.0), column(0.0, 0.0, 1.0, 0.0)
    groups = np.array([[True, True, False], [True, True, False], [True, False, False], [True, False, False]])
    found = paired_intervals(a, b, 200, 1, groups)
    assert found.difference[:2, 0].tolist() == [1 / 4, 1.0]
    assert np.isnan([found.difference[2, 0], found.ratio[2, 0], found.low[2, 0]]).all()
    assert found.count[:, 0].tolist() == [4, 2, 0]
    assert np.isnan(found.ratio[1, 0]), "nothing can be so many times nothing"


def test_a_small_but_steady_gain_shows_that_two_intervals_side_by_side_hide():
    random = np.random.default_rng(2)
    b = random.random((300, 1))
    found = paired_intervals(b + 0.01 + 0.005 * random.standard_normal((300, 1)), b, 500, 4)
    assert found.low[0, 0] > 0
    assert found.high[0, 0] - found.low[0, 0] < 0.01 < 2 * b.std() / np.sqrt(300)


def test_equal_values_do_not_differ():
    values = np.random.default_rng(1).random((40, 2))
    found = paired_intervals(values, values, 100, 1)
    assert (found.difference == 0).all()
    assert (found.low == 0).all()
    assert (found.high == 0).all()
    np.testing.assert_allclose(found.ratio, 1.0)


def test_nobody_gives_nothing():
    found = paired_intervals(np.empty((0, 2)), np.empty((0, 2)), 10, 1)
    assert found.count.tolist() == [[0, 0]]
    assert np.isnan(found.difference).all()


def test_what_does_not_go_together_is_refused():
    with pytest.raises(InputError, match=r"values of shapes \(3, 1\) and \(2, 1\); give two of one shape"):
        paired_intervals(np.zeros((3, 1)), np.zeros((2, 1)), 10, 1)
    with pytest.raises(InputError, match=r"values of shapes \(3,\) and \(3,\)"):
        paired_intervals(np.zeros(3), np.zeros(3), 10, 1)
    with pytest.raises(InputError, match=r"groups of shape \(2, 1\) for 3 listeners"):
        paired_intervals(np.zeros((3, 1)), np.zeros((3, 1)), 10, 1, np.ones((2, 1), dtype=bool))
    with pytest.raises(InputError, match="resamples is 0"):
        paired_intervals(np.zeros((3, 1)), np.zeros((3, 1)), 0, 1)
