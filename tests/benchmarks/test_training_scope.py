"""Shared feedback makes variants look alike that aren't; feedback of their own doesn't."""

from tests.benchmarks.training_scope import lifts


def test_what_one_variant_explores_teaches_the_other_where_feedback_is_shared() -> None:
    found = lifts(simulations=60, seed=1)
    (truth, error), (own, own_error), (shared, shared_error) = found.truth, found.own, found.shared
    assert truth > 5 * error
    assert own > 5 * own_error
    assert shared < truth - 3 * (error + shared_error)
    assert abs(own - truth) < abs(shared - truth)
