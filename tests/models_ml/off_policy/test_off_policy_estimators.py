"""Estimators on lists of which the answer is known by thought."""

from dataclasses import replace

import numpy as np
import pytest

from models_ml.errors import InputError
from models_ml.exploration.arms import arm_chances
from models_ml.exploration.params import ExplorationParams
from models_ml.off_policy.estimates import IDENTIFIED, NOT_IDENTIFIABLE, estimate
from models_ml.off_policy.estimators import ESTIMATORS, Setting
from models_ml.off_policy.logged import ListRewards, LoggedLists
from models_ml.off_policy.params import OffPolicyParams
from models_ml.off_policy.policies import POLICIES, by_settings, by_weights
from tests.models_ml.off_policy.logged_worlds import ALL, WORLDS, listeners_of

ANY = OffPolicyParams(least_effective_lists=1.0)
# Of two arms, the second was drawn three times in four.
SHARES = np.array([0.25, 0.75])


def lists_of(arms: list[list[int]], chance: np.ndarray = SHARES, listener: list[int] | None = None) -> LoggedLists:
    arm = np.array(arms)
    number = np.arange(len(arm)) if listener is None else np.array(listener)
    chances = np.broadcast_to(chance, (*arm.shape, 2)) * (arm >= 0)[..., None]
    return LoggedLists(("new_artist", "nothing_special"), number, arm, chances, *np.ones((2, len(arm), 2)))


def rewards_of(drawn: list[list[float]], rest: list[float]) -> ListRewards:
    return ListRewards(np.array(drawn, dtype=np.float64), np.array(rest, dtype=np.float64))


# Under an even target the first arm weighs 0.5 / 0.25 = 2, the second 0.5 / 0.75 = 2 / 3.
FOUR = lists_of([[0, 1], [1, 1], [1, 0], [0, 0]])
CAME = rewards_of([[1, 0], [0, 1], [1, 1], [0, 1]], [3, 0, 1, 2])


@pytest.mark.parametrize(
    ("name", "by_list"),
    [
        ("item_position_ips", [2 * 1 + 3, 2 / 3 * 1, 2 / 3 + 2 + 1, 2 * 1 + 2]),
        ("reward_interaction_ips", [2 * 1 + 4 / 3 * 3, 4 / 9 * 1, 2 / 3 + 4 / 3 + 4 / 3 * 1, 4 * 1 + 4 * 2]),
        ("list_ips", [4 / 3 * 4, 4 / 9 * 1, 4 / 3 * 3, 4 * 3]),
    ],
)
def test_each_reward_counts_by_the_weights_its_estimator_gives_it(name, by_list):
    found = estimate(FOUR, by_weights(FOUR, np.ones((4, 2))), CAME, name, ANY)
    assert found.value == pytest.approx(np.mean(by_list))
    assert found.difference == pytest.approx(np.mean(by_list) - np.mean([4, 1, 3, 3]))


def test_self_normalised_is_each_draws_weighted_mean_and_the_other_slots():
    found = estimate(FOUR, by_weights(FOUR, np.ones((4, 2))), CAME, "self_normalised_ips", ANY)
    first = (2 * 1 + 2 / 3 * 1) / (2 + 2 / 3 + 2 / 3 + 2)
    second = (2 / 3 * 1 + 2 * 1 + 2 * 1) / (2 / 3 + 2 / 3 + 2 + 2)
    assert found.value == pytest.approx(first + second + np.mean([3, 0, 1, 2]))


def test_doubly_robust_corrects_the_model_of_the_other_half_by_what_it_missed():
    # One draw; listeners 0 and 2 are one half, 1 and 3 the other.
    logged = lists_of([[0], [0], [1], [1]])
    reward = rewards_of([[1], [0], [1], [0]], [0, 0, 0, 4])
    found = estimate(logged, by_weights(logged, np.ones((4, 2))), reward, "cascade_dr", ANY)
    # Of the odd half: the first arm brought 0, the second 4. Of the even half: 1 and 1.
    by_list = [2 + 2 * (1 - 0), 1 + 2 * (0 - 1), 2 + 2 / 3 * (1 - 4), 1 + 2 / 3 * (4 - 1)]
    assert found.value == pytest.approx(np.mean(by_list))


def test_nothing_of_a_list_enters_what_doubly_robust_expects_of_it():
    logged = lists_of([[0, 1], [1, 0], [1, 0], [0, -1], [0, 1], [1, 1]])
    drawn = np.array([[1, 0], [0, 1], [1, 1], [0, 0], [0, 1], [1, 0]], dtype=np.float64)

    def values(own: float) -> np.ndarray:
        later = drawn.copy()
        later[0, 1] = own
        reward = ListRewards(later, np.zeros(6))
        return ESTIMATORS["cascade_dr"](Setting(logged, logged.chance, logged.ratios(logged.chance)), reward)

    # In the other half arm 0 is followed by no second draw, so that what second draws bring tells the arms apart.
    # Weights are 1: what list 0 brought counts in its value as it is, and in nothing that its own half is expected.
    gain = values(5.0) - values(0.0)
    assert gain[[0, 2, 4]] == pytest.approx([5, 0, 0], abs=1e-12)
    assert np.abs(gain[[1, 3, 5]]).max() > 0.1, "the other half learns from it"


def test_student_t_over_listeners_makes_the_interval():
    found = estimate(FOUR, FOUR.chance, CAME, "item_position_ips", ANY)
    totals = np.array([4, 1, 3, 3])
    half = 3.1824463 * totals.std(ddof=1) / 2  # 0.975 of Student's t at three degrees of freedom
    assert (found.low, found.high) == (pytest.approx(totals.mean() - half), pytest.approx(totals.mean() + half))


def test_two_lists_of_one_listener_say_no_more_than_one():
    alike = lists_of([[0, 1], [1, 1], [1, 0], [0, 0]] * 2, listener=[0, 1, 2, 3] * 2)
    twice = rewards_of(np.vstack([CAME.drawn] * 2).tolist(), np.tile(CAME.rest, 2).tolist())
    for name in set(ALL) - {"cascade_dr"}:
        once, both = (
            estimate(lists, by_weights(lists, np.ones(lists.alpha.shape)), reward, name, ANY)
            for lists, reward in ((FOUR, CAME), (alike, twice))
        )
        assert (both.value, both.low, both.high) == pytest.approx((once.value, once.low, once.high))
        assert both.effective_lists == pytest.approx(once.effective_lists)


def test_as_it_was_logged_the_estimate_is_the_mean_of_what_came_of_the_lists():
    logged, reward = listeners_of(WORLDS[2], 500, 1)
    for name in ALL:
        found = estimate(logged, POLICIES["logging"](logged), reward, name, OffPolicyParams())
        exact = name != "cascade_dr"  # the model's guess of the draw is exchanged for its expectation: noise, no bias
        assert found.value == pytest.approx(reward.total.mean(), rel=1e-12 if exact else 0.02)
        assert (found.effective_lists, found.support) == (pytest.approx(500), pytest.approx(1))
        if exact:
            assert found.difference == pytest.approx(0, abs=1e-12)
            assert found.difference_high == pytest.approx(0, abs=1e-12)


def test_effective_lists_are_those_of_the_worst_draw_and_products_leave_fewer():
    logged = lists_of([[0, 1], [1, 1], [1, 1], [1, 1]])
    even = by_weights(logged, np.ones((4, 2)))
    single = estimate(logged, even, CAME, "item_position_ips", ANY).effective_lists
    assert single == pytest.approx((2 + 3 * 2 / 3) ** 2 / (4 + 3 * 4 / 9))
    weights = np.array([4 / 3, 4 / 9, 4 / 9, 4 / 9])
    assert estimate(logged, even, CAME, "list_ips", ANY).effective_lists == pytest.approx(
        weights.sum() ** 2 / (weights**2).sum()
    )


def test_too_small_an_effective_sample_gives_no_number_and_says_so():
    logged, reward = listeners_of(WORLDS[0], 1500, 2)
    rows = {
        name: estimate(logged, POLICIES["greedy"](logged), reward, name, OffPolicyParams())
        for name in ("item_position_ips", "list_ips")
    }
    assert (rows["item_position_ips"].status, rows["item_position_ips"].reason) == (IDENTIFIED, None)
    none = rows["list_ips"]
    assert none.status == NOT_IDENTIFIABLE
    assert none.reason is not None
    assert none.reason.endswith("lists, below 200")
    assert none.effective_lists < 200
    assert {none.value, none.low, none.high, none.difference, none.difference_low, none.difference_high} == {None}


def test_what_could_hardly_have_been_logged_gives_no_number_and_says_so():
    rare = lists_of([[1, 1]] * 300, np.array([0.004, 0.996]))
    reward = rewards_of([[1, 0]] * 300, [0] * 300)
    found = estimate(rare, by_weights(rare, np.tile([0.06, 0.94], (300, 1))), reward, "item_position_ips", ANY)
    assert (found.status, found.support) == (NOT_IDENTIFIABLE, pytest.approx(0.94))
    assert found.reason == "support of 0.940, below 0.95"
    whole = estimate(rare, by_weights(rare, np.tile([0.03, 0.97], (300, 1))), reward, "list_ips", ANY)
    assert (whole.status, whole.support) == (NOT_IDENTIFIABLE, pytest.approx(0.97**2))


def test_a_target_that_took_nothing_that_was_logged_gives_no_number():
    logged = lists_of([[1, 1]] * 5)
    reward = rewards_of([[1, 0]] * 5, [0] * 5)
    never = by_weights(logged, np.tile([1.0, 0.0], (5, 1)))
    for name in ALL:
        found = estimate(logged, never, reward, name, ANY)
        assert (found.status, found.effective_lists) == (NOT_IDENTIFIABLE, 0)


def test_without_any_list_or_any_draw_there_is_no_number():
    for lists, draws in ((0, 0), (0, 2), (3, 0)):
        logged = LoggedLists(
            ("new_artist", "nothing_special"),
            np.arange(lists),
            np.zeros((lists, draws), dtype=int),
            np.zeros((lists, draws, 2)),
            *np.ones((2, lists, 2)),
        )
        reward = ListRewards(np.zeros((lists, draws)), np.ones(lists))
        for name in ALL:
            found = estimate(logged, logged.chance, reward, name, ANY)
            assert found.reason == "no list had a slot left to chance"


def test_a_list_with_fewer_draws_weighs_nothing_where_it_has_none():
    shorter = lists_of([[0, 1], [1, -1], [1, 0], [0, 0]])
    came = replace(CAME, drawn=CAME.drawn * (shorter.arm >= 0))
    found = estimate(shorter, by_weights(shorter, np.ones((4, 2))), came, "list_ips", ANY)
    assert found.value == pytest.approx(np.mean([4 / 3 * 4, 0, 4 / 3 * 3, 4 * 3]))
    normalised = estimate(shorter, by_weights(shorter, np.ones((4, 2))), came, "self_normalised_ips", ANY)
    first = (2 + 2 / 3) / (2 + 2 / 3 + 2 / 3 + 2)
    second = 3 / 4 * (2 + 2) / (2 / 3 + 2 + 2)
    assert normalised.value == pytest.approx(first + second + 6 / 4)


def test_policies_take_only_what_has_a_track_left():
    logged, _ = listeners_of(WORLDS[0], 400, 3)
    closed = logged.chance == 0
    assert closed.any()
    for name, policy in POLICIES.items():
        target = policy(logged)
        assert (target[closed] == 0).all(), name
        assert target.sum(axis=2) == pytest.approx(np.ones((400, 3)))
    best = logged.alpha / (logged.alpha + logged.beta)
    open_best = np.where(closed, -1, best[:, None]).argmax(axis=2)
    assert (POLICIES["greedy"](logged).argmax(axis=2) == open_best).all()


def test_where_nothing_special_has_nothing_left_the_policy_does_as_was_logged():
    chance = np.array([1.0, 0.0])
    logged = lists_of([[0], [0]], chance)
    assert np.array_equal(POLICIES["nothing_special"](logged), logged.chance)


def test_the_settings_that_were_logged_give_the_chances_that_were_logged():
    settings = ExplorationParams(arm_floor=0.07)
    alpha, beta = np.array([[3.0, 9.0, 2.0], [1.0, 1.0, 40.0]]), np.array([[5.0, 9.0, 9.0], [1.0, 1.0, 40.0]])
    offered = np.repeat(arm_chances(alpha, beta, settings)[[0, 1, 0], None], 2, axis=1)
    offered[2, 1, 0] = 0.0
    chance = offered / offered.sum(axis=2, keepdims=True)
    names = ("genre:a", "new_artist", "nothing_special")
    logged = LoggedLists(names, np.arange(3), np.ones((3, 2), dtype=int), chance, alpha[[0, 1, 0]], beta[[0, 1, 0]])
    assert by_settings(logged, settings) == pytest.approx(chance, rel=1e-12)
    other = by_settings(logged, replace(settings, policy="uniform"))
    assert other[2] == pytest.approx(np.array([[1 / 3, 1 / 3, 1 / 3], [0, 1 / 2, 1 / 2]]))


def test_what_cannot_be_is_an_error_that_names_it():
    with pytest.raises(InputError, match="estimator is 'snips'; there are item_position_ips, "):
        estimate(FOUR, FOUR.chance, CAME, "snips", ANY)
    with pytest.raises(InputError, match=r"target: chances of list 0, draw 0 are \[0.5, 1.5\]"):
        estimate(FOUR, np.broadcast_to([0.5, 1.5], (4, 2, 2)), CAME, "list_ips", ANY)
    with pytest.raises(InputError, match="arm 0 of list 1, draw 0 had no chance"):
        lists_of([[1], [0]], np.array([0.0, 1.0]))
    closed = lists_of([[1]], np.array([0.0, 1.0]))
    with pytest.raises(InputError, match="takes an arm that had nothing left"):
        estimate(closed, np.full((1, 1, 2), 0.5), rewards_of([[1]], [0]), "list_ips", ANY)
    with pytest.raises(InputError, match=r"don't fit 4 lists of \(2, 2\) draws and arms"):
        replace(FOUR, listener=np.arange(3))


def test_the_estimators_are_those_that_are_documented():
    assert sorted(ESTIMATORS) == sorted(ALL)
