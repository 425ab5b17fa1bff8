"""Tests of the segments: limits belong to the side they say."""

import numpy as np
import pyarrow as pa
import pytest

from models_ml.arrays import Pairs
from models_ml.evaluation.segments import (
    SegmentParams,
    listener_segments,
    named_segments,
    restricted,
    taste_segments,
    track_segments,
)


def test_listeners_are_new_light_or_heavy_by_what_they_have_heard():
    found = listener_segments(np.array([0, 4, 5, 19, 20, 500]), SegmentParams(new_below=5, heavy_from=20))
    assert found["all"].all()
    assert found["new"].tolist() == [True, True, False, False, False, False]
    assert found["light"].tolist() == [False, False, True, True, False, False]
    assert found["heavy"].tolist() == [False, False, False, False, True, True]


def test_nobody_is_in_two_segments():
    found = listener_segments(np.arange(300), SegmentParams(new_below=50, heavy_from=50))
    assert (found["new"].astype(int) + found["light"] + found["heavy"] == 1).all()
    assert not found["light"].any()


def test_the_popular_are_never_more_than_their_share():
    percentile = np.arange(11) / 10
    found = track_segments(percentile, SegmentParams(popular_share=0.2))
    assert np.flatnonzero(found["popular"]).tolist() == [9, 10]
    assert (found["niche"] == ~found["popular"]).all()


def test_the_equally_popular_stay_together():
    percentile = np.array([0.0, 0.0, 0.0, 0.75, 0.75])
    assert not track_segments(percentile)["popular"].any()
    assert track_segments(percentile, SegmentParams(popular_share=0.4))["popular"].sum() == 2


def test_restricted_truth_keeps_its_owners_and_drops_what_lies_beyond():
    truth = Pairs(np.array([0, 3, 3, 5]), np.array([0, 2, 4, 1, 5], dtype=np.int32), 6)
    found = restricted(truth, np.array([True, False, True, True]))
    assert found.indptr.tolist() == [0, 2, 2, 2]
    assert found.values.tolist() == [0, 2]
    assert found.width == 6


def test_limits_out_of_order_are_refused():
    with pytest.raises(ValueError, match="heavy_from is 3; it must not lie below new_below, 10"):
        SegmentParams(heavy_from=3)


def test_niche_and_mainstream_taste_are_the_two_ends_and_the_middle_is_neither():
    found = taste_segments(np.array([0.1, 0.9, 0.5, np.nan, 0.2, 0.8]), SegmentParams(taste_share=0.3))
    assert np.flatnonzero(found["niche_taste"]).tolist() == [0, 4]
    assert np.flatnonzero(found["mainstream_taste"]).tolist() == [1, 5]


def test_listeners_of_equal_taste_stay_together_and_without_history_nobody_is_either():
    for means in (np.full(10, 0.7), np.full(3, np.nan), np.empty(0)):
        assert not any(members.any() for members in taste_segments(means, SegmentParams()).values())


def test_named_segments_are_those_that_have_anybody_and_a_name():
    found = named_segments("market", pa.array(["", "JP", "SE", "US"]), np.array([2, 0, 2, 1]))
    assert {name: members.tolist() for name, members in found.items()} == {
        "market_SE": [True, False, True, False],
        "market_JP": [False, False, False, True],
    }
