"""The picture of a comparison: it is one, the same each time, whatever is missing."""

from models_ml.comparison.gate import GateParams, judge
from models_ml.comparison.plots import comparison_plot
from models_ml.comparison.report import Measured, compare_lists, nothing_off_policy
from models_ml.evaluation.segments import SegmentParams
from tests.models_ml.comparison.comparison_worlds import DRAWS, FIRST, LISTENERS, SECOND, WEEK, side, yardstick

PNG = b"\x89PNG\r\n\x1a\n"


def _rows() -> list[Measured]:
    before = side(dict.fromkeys(range(LISTENERS), FIRST))
    after = side(dict.fromkeys(range(LISTENERS), FIRST[:20] + SECOND[:10]))
    return compare_lists(before, after, yardstick(), WEEK, SegmentParams(), DRAWS)


def test_a_comparison_is_a_picture_and_the_same_one_each_time() -> None:
    rows = judge([*_rows(), nothing_off_policy(WEEK)], GateParams()).to_arrow()
    drawn = comparison_plot(rows)
    assert drawn.startswith(PNG)
    assert comparison_plot(rows) == drawn


def test_a_threshold_that_allows_nothing_and_a_comparison_of_nobody_can_be_drawn() -> None:
    strict = GateParams(most_genre_kl_rise=0.0, most_changed_share=0.0, least_overlap=1.0)
    assert comparison_plot(judge(_rows(), strict).to_arrow()).startswith(PNG)
    assert comparison_plot(judge([], strict).to_arrow()).startswith(PNG)
