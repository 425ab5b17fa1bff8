"""Tests of the bootstrap: what it covers, what it repeats, what widens it."""

import numpy as np
import pytest

from models_ml.errors import InputError
from models_ml.evaluation import bootstrap
from models_ml.evaluation.bootstrap import Interval, mean_interval, mean_intervals, paired_difference, ratio_of_means


def skewed(seed: int, count: int) -> np.ndarray:
    """Exponential numbers with mean 1, and a third of zeros that take its mean to 2/3."""
    random = np.random.default_rng(seed)
    return random.exponential(size=count) * (random.random(count) < 2 / 3)


def test_an_interval_of_95_percent_covers_the_mean_of_skewed_data_about_as_often():
    found = [mean_interval(skewed(seed, 200), seed) for seed in range(300)]
    covered = np.mean([interval.low <= 2 / 3 <= interval.high for interval in found])
    assert 0.90 <= covered <= 0.98


def test_it_is_about_as_wide_as_theory_says():
    values = skewed(1, 5_000)
    found = mean_interval(values, 2)
    assert found.mean == pytest.approx(values.mean(), rel=1e-12)
    assert found.high - found.low == pytest.approx(2 * 1.96 * values.std() / np.sqrt(5_000), rel=0.1)


def test_a_lower_level_is_narrower():
    values = skewed(1, 500)
    wide, narrow = mean_interval(values, 2), mean_interval(values, 2, level=0.5)
    assert wide.low < narrow.low < narrow.mean < narrow.high < wide.high


def test_the_same_seed_gives_the_same_interval_and_another_one_another():
    values = skewed(1, 300)
    assert mean_interval(values, 5) == mean_interval(values, 5)
    assert mean_interval(values, 5) != mean_interval(values, 6)


def test_blocks_give_the_same_draws(monkeypatch):
    values = skewed(1, 1_000)
    whole = mean_interval(values, 5, resamples=50)
    monkeypatch.setattr(bootstrap, "_DRAWS_AT_ONCE", 50 * 7)
    in_blocks = mean_interval(values, 5, resamples=50)
    assert (in_blocks.low, in_blocks.high) == pytest.approx((whole.low, whole.high), rel=1e-12)


def test_nan_is_left_out():
    values = skewed(1, 300)
    with_gaps = np.insert(values, [0, 10, 300], np.nan)
    assert mean_interval(with_gaps, 5) == mean_interval(values, 5)
    assert mean_interval(with_gaps, 5).count == 300


def test_nothing_gives_nan_and_one_row_gives_itself():
    for values in (np.empty(0), np.full(3, np.nan)):
        found = mean_interval(values, 1)
        assert np.isnan([found.mean, found.low, found.high]).all()
        assert found.count == 0
    assert mean_interval(np.array([0.25]), 1) == Interval(0.25, 0.25, 0.25, 1)


def test_equal_values_have_an_interval_around_them_whatever_the_rounding():
    for value in (0.1, 2 / 15, 1 / 3):
        found = mean_interval(np.full(977, value), 1)
        assert found.low <= found.mean <= found.high == pytest.approx(found.low)


def test_rows_of_a_cluster_are_resampled_together():
    values, clusters = np.repeat(skewed(1, 200), 5), np.repeat(np.arange(200), 5)
    apart, together = mean_interval(values, 3), mean_interval(values, 3, clusters=clusters)
    assert together.mean == pytest.approx(apart.mean)
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(np.sqrt(5), rel=0.15)
    assert together.count == 1_000


def test_clusters_of_one_row_each_change_nothing():
    values = skewed(1, 200)
    assert mean_interval(values, 3, clusters=np.arange(200)) == mean_interval(values, 3)


def test_cluster_numbers_may_have_gaps():
    values, clusters = skewed(1, 200), np.arange(200) // 4
    assert mean_interval(values, 3, clusters=clusters * 1_000 - 7) == mean_interval(values, 3, clusters=clusters)


def test_a_paired_difference_sees_what_two_intervals_hide():
    common = 10 * skewed(1, 400)
    better, worse = common + 0.1 + 0.1 * skewed(2, 400), common
    found = paired_difference(better, worse, 4)
    assert found.mean == pytest.approx(better.mean() - worse.mean())
    assert found.low > 0.1
    assert mean_interval(worse, 4).high > mean_interval(better, 4).low


def test_a_paired_difference_needs_both():
    a, b = np.array([1.0, np.nan, 3.0, 5.0]), np.array([0.5, 2.0, np.nan, 4.5])
    assert paired_difference(a, b, 4) == Interval(0.5, 0.5, 0.5, 2)


def test_a_ratio_is_that_of_the_means():
    b = 1 + skewed(2, 400)
    found = ratio_of_means(3 * b, b, 4)
    assert (found.mean, found.low, found.high) == pytest.approx((3, 3, 3))
    uneven = ratio_of_means(np.array([1.0, 2.0, np.nan]), np.array([2.0, 4.0, 9.0]), 4)
    assert (uneven.mean, uneven.count) == (pytest.approx(3 / 6), 2)
    assert np.isnan(ratio_of_means(np.ones(3), np.zeros(3), 4).mean)


def test_a_ratio_is_covered_too():
    def one(seed):
        b = 1 + skewed(seed, 150)
        return ratio_of_means(skewed(seed + 1_000, 150), b, seed, resamples=400)

    found = [one(seed) for seed in range(300)]
    expected = (2 / 3) / (1 + 2 / 3)
    assert 0.90 <= np.mean([interval.low <= expected <= interval.high for interval in found]) <= 0.98


def test_many_means_at_once_are_each_that_of_its_own_rows():
    values = np.stack([skewed(1, 300), skewed(2, 300)], axis=1)
    values[::7, 1] = np.nan
    groups = np.stack([np.ones(300, dtype=bool), np.arange(300) < 40, np.zeros(300, dtype=bool)], axis=1)
    found = mean_intervals(values, groups, 5)
    alone = mean_interval(values[:, 0], 5)
    assert (found.mean[0, 0], found.low[0, 0], found.high[0, 0]) == pytest.approx((alone.mean, alone.low, alone.high))
    assert found.mean[1, 1] == pytest.approx(np.nanmean(values[:40, 1]))
    assert found.low[1, 1] < found.mean[1, 1] < found.high[1, 1]
    assert found.count.tolist() == [[300, 300 - 43], [40, 40 - 6], [0, 0]]
    assert np.isnan([found.mean[2], found.low[2], found.high[2]]).all()


def test_draws_are_poisson_with_mean_one():
    table = bootstrap._poisson_table()
    assert table.mean() == 1.0
    assert [np.mean(table == count) for count in range(4)] == pytest.approx(
        [np.exp(-1), np.exp(-1), np.exp(-1) / 2, np.exp(-1) / 6], abs=2e-5
    )


def test_impossible_settings_are_refused():
    with pytest.raises(InputError, match="resamples is 0"):
        mean_interval(np.ones(3), 1, resamples=0)
    with pytest.raises(InputError, match="level is 1"):
        mean_interval(np.ones(3), 1, level=1.0)
