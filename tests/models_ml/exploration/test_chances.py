"""Chances of being the best arm, against what is known by thought, and what becomes of them over weeks."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from models_ml.exploration.chances import best_arm_chances, floored


def closed_form(alpha: int, beta: float, other_alpha: float, other_beta: float) -> float:
    """P(Beta(other) > Beta(alpha, beta)) = Σ_{i<other_alpha} ... for whole other_alpha (Cook, 2005)."""
    return sum(
        math.exp(
            betaln(alpha + i, beta + other_beta)
            - math.log(other_beta + i)
            - betaln(1 + i, other_beta)
            - betaln(alpha, beta)
        )
        for i in range(int(other_alpha))
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [((1, 1), (1, 1)), ((2, 5), (3, 4)), ((40, 60), (55, 45)), ((1, 30), (2, 10)), ((900, 9), (20, 1))],
)
def test_two_arms_have_the_chances_of_the_closed_form(first, second):
    chance = best_arm_chances(np.array([[first[0], second[0]]], float), np.array([[first[1], second[1]]], float))
    assert chance[0, 1] == pytest.approx(closed_form(*first, *second), abs=1e-3)


def test_arms_of_which_the_same_is_known_are_equally_likely():
    assert best_arm_chances(np.full((1, 5), 3.0), np.full((1, 5), 8.0))[0] == pytest.approx([0.2] * 5)


def test_an_arm_that_is_surely_worse_has_no_chance_but_the_floor():
    chance = best_arm_chances(np.array([[5e5, 4e5, 10.0]]), np.array([[5e5, 6e5, 1e6]]))
    assert chance[0] == pytest.approx([1.0, 0.0, 0.0], abs=1e-9)
    assert floored(chance, 0.05)[0] == pytest.approx([0.9, 0.05, 0.05])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 8), st.floats(0.0001, 1.0))
def test_chances_add_up_to_one_and_none_is_below_the_floor(seed, arms, floor):
    random = np.random.default_rng(seed)
    alpha, beta = 10.0 ** random.uniform(-2, 5, (3, arms)), 10.0 ** random.uniform(-2, 5, (3, arms))
    chance = floored(best_arm_chances(alpha, beta), floor)
    assert chance.sum(axis=1) == pytest.approx([1.0] * 3)
    assert chance.min() >= min(floor, 1 / arms) - 1e-12


def after_weeks(
    reward_rates: np.ndarray, weeks: int, seed: int, floor: float = 0.05, discount: float = 0.97
) -> np.ndarray:
    """(weeks, A) chances of each arm when 3,000 slots a week go to arms by them: the formula of arm_posteriors."""
    random = np.random.default_rng(seed)
    rewards, refusals, chances = np.zeros(len(reward_rates)), np.zeros(len(reward_rates)), []
    for _ in range(weeks):
        chance = floored(best_arm_chances(1 + rewards[None], 1 + refusals[None]), floor)[0]
        pulls = random.multinomial(3_000, chance)
        rewarded = random.binomial(pulls, reward_rates)
        rewards = discount * (rewards + rewarded)
        refusals = discount * (refusals + pulls - rewarded)
        chances.append(chance)
    return np.array(chances)


def test_where_novelty_is_always_refused_the_policy_backs_off_to_its_floor():
    chances = after_weeks(np.array([0.5, 0.0, 0.0, 0.0]), weeks=12, seed=3)
    assert chances[0] == pytest.approx([0.25] * 4)
    assert chances[-1] == pytest.approx([0.85, 0.05, 0.05, 0.05], abs=1e-6)


def test_where_feedback_is_noise_no_arm_wins_over_many_worlds():
    # Whatever the luck of a world, over worlds each arm gets its quarter: within three standard errors.
    worlds = np.array([after_weeks(np.full(4, 0.4), weeks=12, seed=seed).mean(axis=0) for seed in range(30)])
    error = worlds.std(axis=0, ddof=1) / np.sqrt(len(worlds))
    assert (np.abs(worlds.mean(axis=0) - 0.25) < 3 * error).all()
