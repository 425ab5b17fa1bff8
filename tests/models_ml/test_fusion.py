"""Placing recordings by words, sound and artist, on worlds whose vectors are known."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models_ml.arrays import Pairs
from models_ml.collaborative import CollaborativeFactors
from models_ml.content_prediction import Signal, Teachers, artist_signal, predict_vectors
from models_ml.features import Interactions
from models_ml.fusion import FusedVectors, FusionParams, fuse, rows_of, transposed
from models_ml.linear_solves import solve_listeners, solve_with_priors
from models_ml.prior_strength import LEVELS, liked_counts, thinned
from models_ml.rules import COLLABORATIVE_RUNG, CONTENT_RUNG, POPULAR_RUNG

REGULARIZATION = 2.0


def interactions_of(matrix):
    """Confidence where not zero; below zero is a dislike."""
    rows, columns = np.nonzero(matrix)
    indptr = np.searchsorted(rows, np.arange(len(matrix) + 1)).astype(np.int64)
    values = matrix[rows, columns]
    pairs = Pairs(indptr, columns.astype(np.int32), matrix.shape[1])
    return Interactions(pairs, np.abs(values), np.sign(values).astype(np.int8))


def planted(seed=0, listeners=400, recordings=240, factors=6, content=8):
    """Listeners and recordings with true vectors; what a listener likes follows from them, and so do the words."""
    random = np.random.default_rng(seed)
    users = random.normal(size=(listeners, factors))
    truth = random.normal(size=(recordings, factors))
    chance = 1 / (1 + np.exp(-(users @ truth.T) * 1.5 + 1.5))
    heard = (random.random(chance.shape) < chance) * 3.0
    artist = random.permutation(np.arange(recordings) // 4)
    told = truth @ random.normal(size=(factors, content)) + random.normal(size=(recordings, content)) * 0.1
    words = (told / np.linalg.norm(told, axis=1, keepdims=True)).astype(np.float32)
    heard[:, :40] = 0  # nobody has heard the first forty
    return SimpleNamespace(heard=heard, truth=truth, artist=artist, words=words, chance=chance)


def fitted(heard, factors=6, passes=8, seed=1):
    """Alternating exact solves, both ways."""
    random = np.random.default_rng(seed)
    by_listener = interactions_of(heard)
    items = (random.random((heard.shape[1], factors)) * 0.1).astype(np.float32)
    for _ in range(passes):
        users = solve_listeners(by_listener, len(heard), items, REGULARIZATION, 1)
        items = solve_listeners(transposed(by_listener), heard.shape[1], users, REGULARIZATION, 1)
    users = solve_listeners(by_listener, len(heard), items, REGULARIZATION, 1)
    return by_listener, CollaborativeFactors(users, items, 0.0, passes, False, REGULARIZATION)


@pytest.fixture(scope="module")
def world():
    made = planted()
    made.interactions, made.factors = fitted(made.heard)
    return made


def fused(world, signals, out_days, **params):
    held_out = world.artist % 5 == 0
    return fuse(world.factors, world.interactions, world.artist, out_days, held_out, signals, FusionParams(**params), 1)


def of_age(days):
    return np.full(240, float(days))


def rank_correlation(left, right):
    return np.corrcoef(left.argsort().argsort(), right.argsort().argsort())[0, 1]


def test_words_place_what_nobody_has_heard(world):
    placed = fused(world, [Signal("text", world.words)], of_age(1), artist_as_signal=False)
    scores = world.factors.listener_factors @ placed.vectors[:40].T
    assert rank_correlation(scores.ravel(), world.chance[:, :40].ravel()) > 0.8
    assert not placed.audio.any()


def test_words_that_say_nothing_place_next_to_nothing(world):
    noise = np.random.default_rng(9).normal(size=world.words.shape).astype(np.float32)
    placed = fused(world, [Signal("text", noise)], of_age(1), artist_as_signal=False)
    said = np.linalg.norm(placed.text[:40], axis=1).mean()
    telling = fused(world, [Signal("text", world.words)], of_age(1), artist_as_signal=False)
    assert said < 0.3 * np.linalg.norm(telling.text[:40], axis=1).mean()


def test_a_recording_that_many_like_keeps_its_vector(world):
    placed = fused(world, [Signal("text", world.words)], of_age(1), evidence_limit=20)
    many = placed.liked > 20
    assert many.any()
    assert (placed.vectors[many] == world.factors.recording_factors[many]).all()


def test_without_any_signal_everything_stays_where_listening_put_it(world):
    placed = fused(world, [], of_age(1), artist_as_signal=False)
    assert (placed.vectors == world.factors.recording_factors).all()


@pytest.mark.parametrize("days", [365, np.nan])
def test_what_has_been_out_for_long_is_placed_by_its_listening(world, days):
    """Nobody hearing it for a year says more than any title."""
    placed = fused(world, [Signal("text", world.words)], of_age(days))
    assert (placed.vectors == world.factors.recording_factors).all()


def test_new_recordings_are_expected_to_become_what_others_became(world):
    """Where most that were new some months ago found nobody, a new one starts lower."""
    ages = of_age(1)
    ages[40:100] = 100
    some = fused(world, [Signal("text", world.words)], ages)
    silent = of_age(1)
    silent[:20], silent[40:60] = 100, 100
    fewer = fused(world, [Signal("text", world.words)], silent)
    assert 0 < fewer.strengths[0].scale < some.strengths[0].scale


def test_a_rung_says_what_places_a_recording():
    none, some = [0.0, 0.0], [0.5, 0.0]
    listening, text = np.array([some, none, none]), np.array([none, some, none])
    placed = FusedVectors(listening, text, np.zeros((3, 2)), np.ones(3), np.array([9, 1, 0]), np.array([0, 1, 0]) > 0)
    assert placed.rungs.tolist() == [COLLABORATIVE_RUNG, CONTENT_RUNG, POPULAR_RUNG]


def test_trust_in_listening_grows_with_listeners(world):
    placed = fused(world, [Signal("text", world.words)], of_age(1), artist_as_signal=False)
    assert [strength.listeners for strength in placed.strengths] == list(LEVELS)
    learnt = [strength for strength in placed.strengths if strength.recordings]
    assert len(learnt) >= 4
    assert all(strength.error < strength.error_without for strength in learnt[:4])
    errors = [strength.error_without for strength in learnt]
    assert errors == sorted(errors, reverse=True), "the more listeners, the more they say"


def test_the_same_seed_places_the_same(world):
    signals = [Signal("text", world.words)]
    left, right = fused(world, signals, of_age(1)), fused(world, signals, of_age(1))
    assert left.vectors.tobytes() == right.vectors.tobytes()


def test_nothing_at_all_is_fused_to_nothing():
    nothing = np.zeros((0, 3), dtype=np.float32)
    factors = CollaborativeFactors(nothing, nothing, 0.0, 0, False, 1.0)
    empty = Interactions(Pairs(np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), 1), np.zeros(0), np.zeros(0))
    placed = fuse(factors, empty, np.zeros(0, dtype=int), np.zeros(0), np.zeros(0, dtype=bool), [], FusionParams(), 1)
    assert placed.vectors.shape == (0, 3)


@given(st.integers(0, 2**31), st.floats(0.01, 1.0), st.floats(0.1, 50.0))
def test_the_solve_is_the_one_written_down(seed, exposure, strength):
    random = np.random.default_rng(seed)
    matrix = np.round(random.random((3, 7)) * 6 - 2) * (random.random((3, 7)) < 0.6)
    fixed, prior = random.normal(size=(7, 4)), random.normal(size=(3, 4))
    listening = interactions_of(matrix)
    solved = solve_with_priors(listening, fixed, fixed.T @ fixed, [prior], strength, exposure)
    for row in range(3):
        c, p = np.abs(matrix[row]), (matrix[row] > 0).astype(float)
        weight = np.where(c > 0, c - exposure, 0.0)
        system = exposure * fixed.T @ fixed + (fixed.T * weight) @ fixed + strength * np.eye(4)
        expected = np.linalg.solve(system, fixed.T @ (c * p) + strength * prior[row])
        assert solved.sum(axis=0)[row] == pytest.approx(expected, abs=1e-8)


def test_predictions_fall_apart_into_what_each_signal_says(world):
    signals = [Signal("text", world.words), Signal("audio", np.roll(world.words, 3, axis=1))]
    signals[1].vectors[::3] = 0.0
    weight = np.where(liked_counts(transposed(world.interactions)) > 5, 1.0, 0.0)
    teachers = Teachers(world.factors.recording_factors, weight, world.artist % 5 == 0)
    wanted = np.ones(240, dtype=bool)
    parts = predict_vectors(signals, teachers, wanted, honest=False)
    assert sorted(parts) == ["audio", "everyone", "text"]
    assert not parts["audio"][::3].any()
    assert parts["text"].any(axis=1).all()


def test_an_artists_other_recordings_speak_and_its_own_vector_does_not():
    vectors = np.array([[1.0, 0], [3.0, 0], [0, 5.0], [0, 0]], dtype=np.float32)
    told = artist_signal(vectors, np.array([0, 0, 1, 0]), np.array([1.0, 1.0, 1.0, 0.0]))
    assert told.vectors.tolist() == [[3, 0], [1, 0], [0, 0], [2, 0]]


def test_thinning_keeps_so_many_who_like_it_and_nobody_who_does_not():
    matrix = np.zeros((9, 3))
    matrix[:8, 0], matrix[8, 0], matrix[:2, 2] = 2.0, -2.0, 3.0
    few = thinned(transposed(interactions_of(matrix)), np.array([0, 2]), 3, seed=5)
    assert few.pairs.indptr.tolist() == [0, 3, 5]
    assert set(few.pairs.values[:3]) <= set(range(8))
    assert (few.preference > 0).all()


@given(st.integers(0, 2**31))
def test_turning_twice_gives_the_same_pairs(seed):
    random = np.random.default_rng(seed)
    matrix = np.round(random.random((5, 4)) * 4 - 2) * (random.random((5, 4)) < 0.5)
    once = interactions_of(matrix)
    twice = transposed(transposed(once))
    assert twice.pairs.indptr.tolist() == once.pairs.indptr.tolist()
    assert twice.pairs.values.tolist() == once.pairs.values.tolist()
    assert twice.confidence.tolist() == once.confidence.tolist()
    some = rows_of(once, np.array([3, 1]))
    assert some.confidence.tolist() == [*np.abs(matrix[3][matrix[3] != 0]), *np.abs(matrix[1][matrix[1] != 0])]
