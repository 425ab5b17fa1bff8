"""Coordinate descent on made-up scores with a known best."""

from collections.abc import Callable

import numpy as np
import pytest

from models_ml.tuning.search import MINIMUM_GAIN, Outcome, Score, SearchParams, search
from models_ml.tuning.space import SPACE, Settings, Step, without_time

START = {"a": {"x": 0, "y": 0.0}, "b": {"kind": "plain", "scale": 1.0}}
GRID = (Step("a", "x", (0, 1, 2, 3)), Step("a", "y", (0.0, 0.5, 1.0)))
PARAMS = SearchParams(resamples=20)


def _scored(value: float, noise: float = 0.0) -> Score:
    """Three listeners in two weeks, the second week without the last of them."""
    spread = noise * np.array([-1.0, 0.0, 1.0, -1.0, 1.0])
    return Score(np.array([0, 0, 0, 1, 1]), np.array([7, 8, 9, 7, 8]), value + spread, np.full(5, value / 2))


def _search(
    of: Callable[[Settings], float], space: tuple[Step, ...] = GRID, start: Settings = START, rounds: int = 1
) -> tuple[Outcome, list[Settings]]:
    """The outcome, and the settings whose score was asked for."""
    asked: list[Settings] = []

    def score(settings: Settings) -> Score:
        asked.append(settings)
        return _scored(of(settings))

    params = SearchParams(rounds=rounds, resamples=PARAMS.resamples)
    return search(space, score, start, params, lambda trial: None, lambda: False), asked


def _peak(settings: Settings) -> float:
    """Highest, 0.5, at x = 2 and y = 1."""
    return float(0.5 - 0.1 * abs(settings["a"]["x"] - 2) - 0.1 * abs(settings["a"]["y"] - 1.0))


def test_the_best_of_a_hill_is_found() -> None:
    outcome, asked = _search(_peak)
    assert outcome.settings["a"] == {"x": 2, "y": 1.0}
    assert outcome.before.mean_ndcg == pytest.approx(0.5 - 0.2 - 0.1)
    assert outcome.after.mean_ndcg == pytest.approx(0.5)
    assert len(asked) == 1 + 3 + 2
    assert outcome.finished


def test_what_is_taken_is_on_record_with_its_difference_to_the_best_before_the_step() -> None:
    outcome, _ = _search(_peak)
    found = [(trial.label, trial.taken, round(trial.difference.mean, 9)) for trial in outcome.trials]
    assert found == [
        ("(start)", True, 0.0),
        ("a.x = 1", False, 0.1),
        ("a.x = 2", True, 0.2),
        ("a.x = 3", False, 0.1),
        ("a.y = 0.5", False, 0.05),
        ("a.y = 1.0", True, 0.1),
    ]


def test_equal_scores_keep_what_is_there_and_among_others_the_first() -> None:
    same, _ = _search(lambda settings: 0.3)
    assert same.settings == START
    flat_above, _ = _search(lambda settings: 0.3 + 0.1 * (settings["a"]["x"] > 0))
    assert flat_above.settings["a"] == {"x": 1, "y": 0.0}


@pytest.mark.parametrize(("share", "taken"), [(0.9, False), (1.1, True)])
def test_a_gain_below_the_least_is_not_taken(share: float, taken: bool) -> None:
    outcome, _ = _search(lambda settings: 0.4 * (1 + share * MINIMUM_GAIN * (settings["a"]["x"] == 3)))
    assert (outcome.settings["a"]["x"] == 3) is taken


def test_a_second_round_finds_what_the_first_had_to_pass_by() -> None:
    """The setting x only helps once y is 1, and x is tried before y."""

    def ridge(settings: Settings) -> float:
        return float(0.2 + 0.1 * settings["a"]["y"] * (1 + settings["a"]["x"]))

    assert _search(ridge)[0].settings["a"] == {"x": 0, "y": 1.0}
    assert _search(ridge, rounds=2)[0].settings["a"] == {"x": 3, "y": 1.0}


def test_settings_seen_before_are_not_scored_again_and_a_round_without_gain_is_the_last() -> None:
    outcome, asked = _search(_peak, rounds=9)
    assert len(asked) == len({repr(settings) for settings in asked})
    assert max(trial.round for trial in outcome.trials) == 2


def test_a_stop_ends_the_search_with_the_best_so_far() -> None:
    scored: list[float] = []

    def score(settings: Settings) -> Score:
        scored.append(_peak(settings))
        return _scored(scored[-1])

    outcome = search(GRID, score, START, PARAMS, lambda trial: None, lambda: len(scored) == 3)
    assert len(scored) == 3
    assert outcome.settings["a"] == {"x": 2, "y": 0.0}
    assert not outcome.finished


def test_weeks_count_alike_however_many_listeners_they_have() -> None:
    score = Score(np.array([0, 0, 0, 1]), np.arange(4), np.array([0.1, 0.2, 0.3, 0.8]), np.zeros(4))
    assert score.by_week.tolist() == pytest.approx([0.2, 0.8])
    assert score.mean_ndcg == pytest.approx((0.2 + 0.8) / 2)
    lower = Score(score.week, score.listener, np.zeros(4), np.zeros(4))
    assert score.above(lower, seed=1, resamples=50).mean == pytest.approx(0.5)


def test_the_interval_of_a_difference_is_paired() -> None:
    """Listeners differ by far more than the two settings do, and all of them by the same."""
    found = _scored(0.5, noise=0.4).above(_scored(0.49, noise=0.4), seed=1, resamples=200)
    assert (found.low, found.mean, found.high) == pytest.approx((0.01, 0.01, 0.01))


def test_relative_values_are_multiples_of_what_is_there() -> None:
    step = Step("b", "scale", (0.5, 1.0, 4.0), relative=True)
    values = [change.values["scale"] for change in step.changes({"b": {"scale": 3.0}})]
    assert values == [0.5 * 3, 4 * 3]


def test_values_along_another_setting_are_tried_in_pairs() -> None:
    step = Step("b", "kind", ("plain", "other"), along=("scale", (1.0, 2.0)))
    changes = step.changes(START)
    assert [change.values for change in changes] == [{"kind": "other", "scale": value} for value in (1.0, 2.0)]
    assert changes[0].label == "b.kind = other, b.scale = 1.0"
    assert changes[1].applied(START) == {"a": START["a"], "b": {"kind": "other", "scale": 2.0}}
    assert START["b"]["kind"] == "plain"


def test_a_hold_out_at_random_is_not_asked_about_time() -> None:
    names = {step.name for step in without_time(SPACE)}
    assert "regularization" in names
    assert not names & {"half_life_scale", "statement_half_life_days", "idle_half_life_days", "freshness_weight"}
