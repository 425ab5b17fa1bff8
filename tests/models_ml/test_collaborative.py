"""Tests of the collaborative factors: what they must satisfy, warm starts, small and bad input."""

from dataclasses import replace

import implicit.cpu.als
import numpy as np
import pyarrow as pa
import pytest
import scipy.sparse
import threadpoolctl
from feature_worlds import random_world, table

from models_ml.collaborative import CollaborativeFactors, CollaborativeParams, fit_collaborative
from models_ml.errors import InputError

PARAMS = CollaborativeParams(
    factors=8, regularization=0.5, regularization_scaling="constant", iterations=10, warm_iterations=1, threads=1
)


def ids(prefix: str, count: int) -> pa.Array:
    return pa.array([f"{prefix}{place:05}" for place in range(count)])


def fit(interactions: pa.Table, listeners: int, recordings: int, params=PARAMS, seed=1, previous=None):
    return fit_collaborative(interactions, ids("u", listeners), ids("r", recordings), params, seed, previous)


def two_tastes() -> pa.Table:
    """Listeners 0..5 like recordings 0..5 and 6..11 like 6..11, each but the one with their own number."""
    pairs = [(u, r) for u in range(12) for r in range(12) if u // 6 == r // 6 and u != r]
    return table(
        "interactions",
        user_index=[u for u, _ in pairs],
        recording_index=[r for _, r in pairs],
        confidence=[3.0] * len(pairs),
        preference=[1] * len(pairs),
    )


def test_listeners_of_one_taste_are_near_the_recordings_of_that_taste():
    factors = fit(
        two_tastes(),
        12,
        12,
        CollaborativeParams(factors=2, regularization=0.5, regularization_scaling="constant", threads=1),
    )
    scores = factors.listener_factors @ factors.recording_factors.T
    own_taste = np.equal.outer(np.arange(12) // 6, np.arange(12) // 6)
    assert scores[own_taste].min() > scores[~own_taste].max() + 0.2


def test_the_same_input_and_seed_give_the_same_bytes_whatever_the_threads():
    interactions = random_world(3, listeners=300, recordings=150).interactions
    one = fit(
        interactions,
        300,
        150,
        CollaborativeParams(factors=16, regularization=0.5, regularization_scaling="constant", threads=1),
    )
    two = fit(
        interactions,
        300,
        150,
        CollaborativeParams(factors=16, regularization=0.5, regularization_scaling="constant", threads=2),
    )
    assert one.listener_factors.tobytes() == two.listener_factors.tobytes()
    assert one.recording_factors.tobytes() == two.recording_factors.tobytes()
    assert one.loss == two.loss


@pytest.mark.parametrize("confidence", [2.0, 20.0])
@pytest.mark.parametrize(("regularization", "is_kept"), [(0.9, True), (1.1, False)])
def test_a_listener_who_shares_nothing_keeps_a_vector_below_one_whatever_the_confidence(
    confidence: float, regularization: float, is_kept: bool
):
    """Four listeners with four recordings each, none in common: a singular value of twice the confidence each."""
    alone = table(
        "interactions",
        user_index=[place // 4 for place in range(16)],
        recording_index=list(range(16)),
        confidence=[confidence] * 16,
        preference=[1] * 16,
    )
    factors = fit(alone, 4, 16, CollaborativeParams(factors=8, regularization=regularization, iterations=300))
    assert factors.regularization == pytest.approx(regularization * 2 * confidence)
    assert factors.has_vector.all() if is_kept else not factors.has_vector.any()


def test_another_seed_starts_elsewhere():
    first, second = fit(two_tastes(), 12, 12, seed=1), fit(two_tastes(), 12, 12, seed=2)
    assert first.recording_factors.tobytes() != second.recording_factors.tobytes()


def test_a_listener_vector_solves_the_weighted_least_squares_of_the_paper():
    interactions = random_world(4, listeners=30, recordings=50).interactions
    factors = fit(interactions, 30, 50)
    y = factors.recording_factors.astype(np.float64)
    confidence, preference = np.ones((30, 50)), np.zeros((30, 50))
    cells = interactions.column("user_index").to_numpy(), interactions.column("recording_index").to_numpy()
    confidence[cells] = interactions.column("confidence").to_numpy()
    preference[cells] = interactions.column("preference").to_numpy() > 0
    for listener in range(30):
        weights = np.diag(confidence[listener])
        expected = np.linalg.solve(
            y.T @ weights @ y + PARAMS.regularization * np.eye(8), y.T @ weights @ preference[listener]
        )
        assert factors.listener_factors[listener] == pytest.approx(expected, abs=1e-5)


def test_listener_vectors_agree_with_implicit():
    interactions = random_world(5, listeners=40, recordings=60).interactions
    factors = fit(interactions, 40, 60)
    signed = interactions.column("confidence").to_numpy() * interactions.column("preference").to_numpy()
    cells = interactions.column("user_index").to_numpy(), interactions.column("recording_index").to_numpy()
    matrix = scipy.sparse.csr_matrix((signed, cells), shape=(40, 60))
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        model = implicit.cpu.als.AlternatingLeastSquares(factors=8, regularization=PARAMS.regularization)
        model.user_factors, model.item_factors = factors.listener_factors, factors.recording_factors
        theirs = model.recalculate_user(np.arange(40), matrix)
    assert factors.listener_factors == pytest.approx(theirs, abs=1e-4)


def test_training_lowers_the_loss():
    interactions = random_world(6, listeners=200, recordings=100).interactions
    little = fit(
        interactions,
        200,
        100,
        CollaborativeParams(factors=8, regularization=0.1, regularization_scaling="constant", iterations=1, threads=1),
    )
    much = fit(
        interactions,
        200,
        100,
        CollaborativeParams(factors=8, regularization=0.1, regularization_scaling="constant", iterations=15, threads=1),
    )
    assert much.loss < little.loss


def test_what_nobody_likes_and_who_likes_nothing_have_no_vector():
    # Recording 2 is only disliked, recording 3 unheard; listener 1 only dislikes, listener 2 is silent.
    interactions = table(
        "interactions",
        user_index=[0, 0, 1],
        recording_index=[0, 2, 2],
        confidence=[2.0, 3.0, 4.0],
        preference=[1, -1, -1],
    )
    factors = fit(interactions, 3, 4)
    assert factors.has_vector.tolist() == [True, False, False]
    assert factors.retrievable.tolist() == [True, False, False, False]


def test_evidence_too_weak_for_the_regularization_leaves_no_vector_rather_than_noise():
    # A single pair of confidence 2 can't hold out against a regularization of 5.
    interactions = table("interactions", user_index=[0], recording_index=[0], confidence=[2.0], preference=[1])
    factors = fit(
        interactions,
        1,
        1,
        CollaborativeParams(factors=4, regularization=5.0, regularization_scaling="constant", threads=1),
    )
    assert not factors.has_vector.any()
    assert not factors.retrievable.any()
    assert fit(
        interactions,
        1,
        1,
        CollaborativeParams(factors=4, regularization=0.5, regularization_scaling="constant", threads=1),
    ).has_vector.all()


def test_nothing_to_learn_from_gives_zeros():
    factors = fit(table("interactions"), 3, 4)
    assert factors.listener_factors.shape == (3, 8)
    assert not factors.has_vector.any()
    assert not factors.retrievable.any()
    assert factors.loss == 0.0


def test_a_world_without_listeners_or_recordings_is_fine():
    factors = fit(table("interactions"), 0, 0)
    assert factors.listener_factors.shape == (0, 8)
    assert factors.recording_factors.shape == (0, 8)


def test_more_factors_than_recordings_is_fine():
    factors = fit(
        two_tastes(),
        12,
        12,
        CollaborativeParams(factors=64, regularization=0.1, regularization_scaling="constant", threads=1),
    )
    assert np.isfinite(factors.recording_factors).all()
    assert factors.listener_factors.shape == (12, 64)


def test_a_warm_start_finds_its_vectors_by_id_in_any_order():
    interactions = random_world(7, listeners=100, recordings=80).interactions
    last_week = fit(interactions, 100, 80).to_tables(ids("u", 100), ids("r", 80))
    shuffled = type(last_week)(last_week.listeners[::-1], last_week.recordings[::-1])
    warm = fit(interactions, 100, 80, previous=last_week)
    again = fit(interactions, 100, 80, previous=shuffled)
    assert warm.warm_started
    assert warm.iterations == PARAMS.warm_iterations
    assert warm.recording_factors.tobytes() == again.recording_factors.tobytes()


def test_one_warm_pass_is_nearer_to_last_week_than_a_new_start_is():
    interactions = random_world(8, listeners=100, recordings=80).interactions
    before = fit(interactions, 100, 80)
    tables = before.to_tables(ids("u", 100), ids("r", 80))
    warm = fit(interactions, 100, 80, previous=tables, seed=9)
    cold = fit(interactions, 100, 80, seed=9)
    distance = [np.abs(other.recording_factors - before.recording_factors).mean() for other in (warm, cold)]
    assert distance[0] < 0.5 * distance[1]


def test_vectors_of_another_length_or_of_strangers_start_cold():
    interactions = random_world(9, listeners=50, recordings=40).interactions
    longer = fit(
        interactions,
        50,
        40,
        CollaborativeParams(factors=9, regularization=0.5, regularization_scaling="constant", threads=1),
    )
    assert not fit(interactions, 50, 40, previous=longer.to_tables(ids("u", 50), ids("r", 40))).warm_started
    strangers = fit(interactions, 50, 40).to_tables(ids("x", 50), ids("y", 40))
    cold = fit(interactions, 50, 40, previous=strangers)
    assert not cold.warm_started
    assert cold.recording_factors.tobytes() == fit(interactions, 50, 40).recording_factors.tobytes()


def test_factors_come_back_from_their_tables_unchanged():
    factors = fit(two_tastes(), 12, 12)
    back = CollaborativeFactors.from_tables(
        factors.to_tables(ids("u", 12), ids("r", 12)),
        loss=factors.loss,
        iterations=factors.iterations,
        warm_started=factors.warm_started,
        regularization=factors.regularization,
    )
    assert back.listener_factors.tobytes() == factors.listener_factors.tobytes()
    assert back.recording_factors.tobytes() == factors.recording_factors.tobytes()


def test_training_says_how_far_it_is():
    lines: list[str] = []
    fit_collaborative(two_tastes(), ids("u", 12), ids("r", 12), PARAMS, 1, progress=lines.append)
    assert len(lines) == PARAMS.iterations
    assert lines[-1].startswith("collaborative factors: pass 10 of 10")


@pytest.mark.filterwarnings("error")
def test_training_warns_of_nothing():
    assert fit(two_tastes(), 12, 12).loss > 0


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("confidence", float("nan"), "interactions: confidence is nan in row 1"),
        ("confidence", 0.0, "interactions: confidence is 0 in row 1"),
        ("preference", 0, "interactions: preference is 0 in row 1"),
        ("recording_index", 7, "interactions: recording_index is 7 in row 1"),
        ("recording_index", 0, "interactions: row 1 .* repeats a pair or is out of order"),
        ("user_index", None, "interactions: column user_index is null in row 1"),
    ],
)
def test_input_that_can_not_be_used_is_named(column, value, message):
    columns = {"user_index": [0, 0], "recording_index": [0, 1], "confidence": [2.0, 2.0], "preference": [1, 1]}
    columns[column] = [columns[column][0], value]
    with pytest.raises(InputError, match=message):
        fit(table("interactions", **columns), 2, 3)


def test_reach_is_the_length_of_a_vector_by_the_median_one_and_at_most_one():
    lengths = np.array([0.0, 1.0, 2.0, 4.0, 8.0], dtype=np.float32)
    listeners = np.stack([lengths, np.zeros(5)], axis=1).astype(np.float32)
    factors = CollaborativeFactors(listeners, np.ones((3, 2), dtype=np.float32), 0.0, 1, False, 1.0)
    assert factors.reach.tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    nobody = replace(factors, listener_factors=np.zeros((2, 2), dtype=np.float32))
    assert nobody.reach.tolist() == [0, 0]
