"""The gate: what each threshold stops, and what it never passes on."""

import dataclasses
import datetime as dt

import pytest

from models_ml.comparison.gate import FAILED, PASSED, UNDECIDED, GateParams, judge
from models_ml.comparison.report import Measured, nothing_off_policy

WEEK = dt.date(2026, 11, 23)
GATE = GateParams()


def _row(metric: str, value: float | None, baseline: float | None = None, low: float | None = None) -> Measured:
    high = None if low is None or value is None else 2 * value - low
    return Measured(WEEK, "all", metric, baseline, None, value, low, high, 100)


def _good() -> list[Measured]:
    return [
        _row("overlap_at_30", 0.6, low=0.55),
        _row("changed_share", 0.05, low=0.01),
        _row("lost_share", 0.0),
        _row("popularity_percentile", 0.01, 0.6, 0.0),
        _row("novelty", -0.1, 4.0, -0.2),
        _row("genre_kl", 0.01, 0.3, 0.0),
        _row("new_artist_share", 0.0, 0.6, -0.01),
        _row("coverage", -0.02, 0.5),
        _row("ndcg_kept", 0.001, 0.2, -0.01),
        _row("ndcg_first_listens", -0.15, 0.3, -0.2),
        nothing_off_policy(WEEK),
    ]


def _with(row: Measured) -> list[Measured]:
    return [row if one.metric == row.metric else one for one in _good()]


def test_a_change_within_all_thresholds_passes() -> None:
    verdict = judge(_good(), GATE)
    assert verdict.verdict == PASSED
    assert {row.threshold for row in verdict.rows if row.threshold} == {
        field.name for field in dataclasses.fields(GateParams) if field.name.startswith(("least_", "most_"))
    }, "every threshold was asked"


@pytest.mark.parametrize(
    ("row", "threshold"),
    [
        (_row("overlap_at_30", 0.05), "least_overlap"),
        (_row("changed_share", 0.6), "most_changed_share"),
        (_row("lost_share", 0.02), "most_lost_share"),
        (_row("popularity_percentile", 0.15), "most_popularity_shift"),
        (_row("popularity_percentile", -0.15), "most_popularity_shift"),
        (_row("novelty", 1.5), "most_novelty_shift"),
        (_row("genre_kl", 0.3), "most_genre_kl_rise"),
        (_row("new_artist_share", -0.3), "most_new_artist_shift"),
        (_row("coverage", -0.2, 0.5), "least_coverage_ratio"),
        (_row("ndcg_kept", 0.01, 0.2, -0.03), "most_ndcg_loss"),
    ],
)
def test_each_threshold_stops_what_lies_beyond_it(row: Measured, threshold: str) -> None:
    verdict = judge(_with(row), GATE)
    assert verdict.verdict == FAILED
    assert [one.threshold for one in verdict.failed] == [threshold]


def test_a_better_mean_does_not_pass_where_its_interval_reaches_too_low() -> None:
    wide = _row("ndcg_kept", 0.05, 0.2, low=-0.021)
    assert judge(_with(wide), GATE).verdict == FAILED
    assert judge(_with(dataclasses.replace(wide, low=-0.02)), GATE).verdict == PASSED, "a tenth of 0.2 is allowed"


def test_first_listens_decide_where_nobody_kept_anything() -> None:
    rows = [row for row in _good() if row.metric != "ndcg_kept"]
    assert [one.threshold for one in judge(rows, GATE).failed] == ["most_ndcg_loss"]


def test_the_gate_never_passes_on_an_off_policy_estimate_alone() -> None:
    splendid = Measured(WEEK, "all", "off_policy_value", 0.1, 0.9, 0.8, 0.7, 0.9, 10_000)
    without_truth = [row for row in _good() if not row.metric.startswith("ndcg")]
    assert judge([*without_truth[:-1], splendid], GATE).verdict == UNDECIDED
    worse = [
        splendid if row.metric == "off_policy_value" else row for row in _with(_row("ndcg_kept", -0.1, 0.2, -0.15))
    ]
    assert judge(worse, GATE).verdict == FAILED


def test_an_estimate_that_is_not_identifiable_is_said_to_be_so() -> None:
    table = judge(_good(), GATE).to_arrow().to_pylist()
    row = next(row for row in table if row["metric"] == "off_policy_value")
    assert (row["value"], row["status"]) == (None, "not identifiable")


def test_segments_are_told_and_not_judged() -> None:
    row = Measured(WEEK, "new", "overlap_at_30", None, None, 0.0, 0.0, 0.0, 3)
    verdict = judge([*_good(), row], GATE)
    assert verdict.verdict == PASSED
    assert verdict.rows[-1].status == "told"
