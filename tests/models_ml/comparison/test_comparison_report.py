"""How far two recipes' lists lie apart, in numbers known by thought."""

import math

import numpy as np
import pytest

from models_ml.comparison.report import Measured, compare_lists, compare_on_truth, overlap
from models_ml.evaluation.segments import SegmentParams
from tests.models_ml.comparison.comparison_worlds import (
    DRAWS,
    FIRST,
    LISTENERS,
    RECORDINGS,
    SECOND,
    WEEK,
    side,
    yardstick,
)
from tests.models_ml.evaluation.evaluation_worlds import truth_table

Named = dict[tuple[str, str], Measured]
PARAMS = SegmentParams()


def _compared(before: dict[int, list[int]], after: dict[int, list[int]]) -> Named:
    rungs = {0: "popular"}
    rows = compare_lists(side(before, rungs), side(after, rungs), yardstick(), WEEK, PARAMS, DRAWS)
    return {(row.segment, row.metric): row for row in rows}


def test_the_same_lists_in_another_order_differ_in_nothing() -> None:
    before = dict.fromkeys(range(LISTENERS), FIRST)
    found = _compared(before, {user: listed[::-1] for user, listed in before.items()})
    assert found["all", "overlap_at_30"].value == 1.0
    assert found["all", "changed_share"].value == 0.0
    for metric in ("popularity_percentile", "novelty", "genre_kl", "new_artist_share", "coverage", "gini"):
        row = found["all", metric]
        assert row.value == 0.0, metric
        assert row.baseline == row.candidate, metric


def test_a_list_changes_altogether_where_less_than_a_fifth_stays() -> None:
    before = dict.fromkeys(range(2), FIRST)
    found = _compared(before, {0: FIRST[:6] + SECOND[:24], 1: FIRST[:5] + SECOND[:25]})
    assert found["all", "overlap_at_30"].value == pytest.approx((6 + 5) / 2 / 30)
    assert found["all", "changed_share"].value == 0.5
    assert found["all", "overlap_decile_5"].value == pytest.approx(5.5 / 30)
    assert found["rung_popular", "overlap_at_30"].value == pytest.approx(6 / 30), "listener 0 alone stands there"
    assert found["rung_collaborative", "changed_share"].value == 1.0
    assert found["light", "overlap_at_30"].listeners == 2, "ten recordings heard"
    assert ("rung_content", "overlap_at_30") not in found, "nobody stands there"


def test_lists_of_another_genre_are_further_from_their_listeners() -> None:
    before = dict.fromkeys(range(LISTENERS), FIRST)
    row = _compared(before, dict.fromkeys(range(LISTENERS), SECOND))["all", "genre_kl"]
    assert row.baseline == pytest.approx(0.0)
    assert row.candidate == pytest.approx(math.log(1 / 0.01)), "jazz, and a list with none of it"
    assert row.low == pytest.approx(row.value)


def test_what_is_given_to_fewer_recordings_covers_less() -> None:
    spread = {user: list(range(20 + 30 * user, 50 + 30 * user)) for user in range(LISTENERS)}
    row = _compared(spread, dict.fromkeys(range(LISTENERS), FIRST))["all", "coverage"]
    assert (row.baseline, row.candidate) == (180 / RECORDINGS, 30 / RECORDINGS)


def test_whoever_has_no_list_any_more_is_counted_as_lost() -> None:
    before = dict.fromkeys(range(4), FIRST)
    found = _compared(before, dict.fromkeys(range(1, 6), FIRST))
    assert found["all", "lost_share"].value == 1 / 4
    assert found["all", "overlap_at_30"].listeners == 3
    nobody = _compared(before, {})
    assert nobody["all", "lost_share"].value == 1.0
    assert nobody["all", "overlap_at_30"].value is None


def test_what_listeners_then_kept_is_asked_of_both_lists() -> None:
    before = side(dict.fromkeys(range(LISTENERS), FIRST))
    after = side({user: FIRST if user else [150, *FIRST[1:]] for user in range(LISTENERS)})
    # Listener 0 kept the first of the baseline's list, listener 1 too, listener 2 heard it in our own list.
    truth = truth_table([(0, FIRST[0], True, False), (1, FIRST[0], False, False), (2, FIRST[0], True, True)])
    rows = compare_on_truth(before, after, truth, yardstick(), WEEK, PARAMS, DRAWS)
    found = {(row.segment, row.metric): row for row in rows}
    kept = found["all", "ndcg_kept"]
    assert (kept.baseline, kept.candidate, kept.value, kept.listeners) == (1.0, 0.0, -1.0, 1)
    heard = found["all", "recall_first_listens"]
    assert (heard.baseline, heard.candidate, heard.value, heard.listeners) == (1.0, 0.5, -0.5, 2)
    assert heard.low is not None
    assert heard.low <= -0.5


def test_without_truth_there_is_no_row_about_it() -> None:
    lists = side(dict.fromkeys(range(LISTENERS), FIRST))
    assert compare_on_truth(lists, lists, truth_table([]), yardstick(), WEEK, PARAMS, DRAWS) == []


def test_overlap_counts_recordings_and_no_gaps() -> None:
    some = np.array([[3, 1, 2] + [-1] * 27])
    others = np.array([[2, 3, 9] + [-1] * 27])
    assert overlap(some, others).tolist() == [2 / 30]
