"""Intervals beside the truth, where an estimator's assumption holds and where it doesn't; tests/benchmarks has more."""

from functools import cache

import pytest
from scipy.stats import binom

from models_ml.off_policy.estimates import Estimate
from tests.benchmarks.off_policy import beside_truth, repeated
from tests.models_ml.off_policy.logged_worlds import ALL, WORLDS, World, truth

REPETITIONS, LISTS = 60, 1500
# So few or so many of sixty intervals at 95 % hold the truth once in 2,000 times.
FEWEST, MOST = (int(binom.ppf(share, REPETITIONS, 0.95)) for share in (0.0005, 0.9995))
BY_NAME = {world.name: world for world in WORLDS}


@cache
def _found(world: World, policy: str = "uniform", lists: int = LISTS) -> tuple[dict[str, list[Estimate]], float, float]:
    """Estimates of a policy, what it brings, and what was logged."""
    found = repeated(world, policy, lists, REPETITIONS, 500)
    return found, *(truth(world, drawn_by, blocks=5) for drawn_by in (policy, "logging"))


@pytest.mark.parametrize(("world", "name"), [(world.name, name) for world in WORLDS for name in world.holds])
def test_where_its_assumption_holds_intervals_hold_the_truth_as_often_as_they_say(world, name):
    found, right, logged = _found(BY_NAME[world])
    for difference in (False, True):
        wanted = right - logged if difference else right
        bias, width, share, given = beside_truth(found[name], wanted, difference=difference)
        assert given == REPETITIONS
        assert FEWEST <= round(share * REPETITIONS) <= MOST
        # Of sixty means, each off by a quarter of its width at one standard error, the mean is off by that over 7.7.
        assert abs(bias) < 4 * width / 4 / REPETITIONS**0.5


@pytest.mark.parametrize("name", ALL[:2])
@pytest.mark.parametrize("world", list(BY_NAME)[2:])
def test_where_slots_are_not_independent_item_weights_miss_the_truth_and_nothing_says_so(world, name):
    found, right, logged = _found(BY_NAME[world])
    _, _, share, given = beside_truth(found[name], right - logged, difference=True)
    assert given == REPETITIONS
    assert round(share * REPETITIONS) < FEWEST


@pytest.mark.parametrize("name", ["reward_interaction_ips", "cascade_dr"])
def test_where_later_draws_are_heard_first_and_tire_the_cascade_misses_the_truth_and_nothing_says_so(name):
    found, right, logged = _found(WORLDS[3], "greedy", 6000)
    _, _, share, given = beside_truth(found[name], right - logged, difference=True)
    assert given == REPETITIONS
    assert round(share * REPETITIONS) < FEWEST
