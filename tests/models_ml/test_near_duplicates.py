"""Tests of recordings that are the same one in sound: which are, and that a listener is given one of them."""

from dataclasses import replace

import numpy as np
import pytest
from feature_worlds import random_world, table

from models_ml.arrays import in_range
from models_ml.candidates import CandidateParams, find_candidates
from models_ml.collaborative import CollaborativeParams, fit_collaborative
from models_ml.eligibility import filter_codes, forbidden
from models_ml.near_duplicates import (
    Heard,
    NearDuplicateParams,
    near_duplicates,
    repeated_sounds,
    with_near_duplicates,
    without_sounds_of,
)
from models_ml.pools import Pool, from_batch
from models_ml.retrieval import ExactRetriever
from models_ml.rules import FILTER_CODES

PARAMS = NearDuplicateParams()
ANGLE = np.arccos(0.95)


def heard(count=2, tempo=100.0, length=200.0, tonality=0, angles=0.0) -> Heard:
    """Recordings alike in all but what is given, one value each or one for all; vectors lie on a circle."""
    tempo, length, tonality, angles = (np.broadcast_to(values, count) for values in (tempo, length, tonality, angles))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Heard(vectors, tempo, length, tonality)


def same_as(of: Heard, params=PARAMS) -> list[int]:
    return near_duplicates(of, params).tolist()


def test_two_that_hardly_differ_are_one():
    assert same_as(heard(tempo=[100, 100.2], length=[200, 203], angles=[0, ANGLE])) == [0, 0]


@pytest.mark.parametrize(
    "differs",
    [
        {"tempo": [100, 100.5]},
        {"length": [200, 203.5]},
        {"tonality": [0, 1]},
        {"angles": [0, 0.5]},
        {"tempo": [100, np.nan]},
        {"length": [200, np.nan]},
    ],
)
def test_two_that_differ_in_one_thing_or_of_which_it_is_not_known_are_two(differs):
    assert same_as(heard(**differs)) == [0, 1]


def test_a_recording_without_a_vector_is_like_no_other():
    silent = replace(heard(), vectors=np.zeros((2, 2)))
    assert same_as(silent) == [0, 1]


def test_a_chain_of_pairs_is_one_recording_named_by_its_first():
    assert same_as(heard(4, tempo=[100, 150, 100, 100], angles=[2 * ANGLE, 0, ANGLE, 0])) == [0, 1, 0, 0]


def test_above_a_cosine_of_one_nothing_is_the_same():
    assert same_as(heard(), replace(PARAMS, minimum_cosine=1.1)) == [0, 1]


def test_blocks_change_nothing(monkeypatch):
    random = np.random.default_rng(0)
    tempo, tonality = random.integers(100, 103, 300), random.integers(0, 2, 300)
    of = heard(300, tempo=tempo, tonality=tonality, angles=random.random(300))
    at_once = same_as(of)
    monkeypatch.setattr("models_ml.near_duplicates._PAIRS_AT_ONCE", 7)
    assert same_as(of) == at_once
    assert len(set(at_once)) < 300


def test_nothing_heard_is_nothing_alike():
    assert same_as(heard(0)) == []


def test_what_sounds_like_something_excluded_is_excluded_by_name():
    world = random_world(1, listeners=3, recordings=30, restrictions=False).replaced(
        exclusions=table("exclusions", user_index=[0, 0, 2], recording_index=[4, 9, 9], rule_id=["heard"] * 3)
    )
    features = with_near_duplicates(world.features(), np.array([4, 9, 20]), np.array([4, 4, 4]))
    codes = filter_codes(features, np.repeat([0, 1, 2], 30), np.tile(np.arange(30), 3)).reshape(3, 30)
    assert {int(place): int(codes[0, place]) for place in np.flatnonzero(codes[0])} == {
        4: FILTER_CODES["heard"],
        9: FILTER_CODES["heard"],
        20: FILTER_CODES["near_duplicate"],
    }
    assert np.flatnonzero(codes[1]).tolist() == []
    assert np.flatnonzero(codes[2]).tolist() == [4, 9, 20]
    assert (forbidden(features, np.arange(3)) == (codes > 0)).all()
    in_range(features.exclusions.values, 30, "exclusions", "recording_index")


def test_in_a_list_every_recording_after_the_first_of_its_sound_is_a_repetition():
    sound_of = np.array([0, -1, 0, 3, 3, 0, -1])
    lists = np.array([[5, 1, 4, 0, 3, 6, 2], [1, 6, 1, 3, -1, -1, -1]])
    assert repeated_sounds(lists, sound_of).tolist() == [[False, False, False, True, True, False, True], [False] * 7]
    assert repeated_sounds(np.empty((0, 3), dtype=int), sound_of).shape == (0, 3)


def pool_of(*pairs: tuple[int, int]) -> Pool:
    rows, recordings = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Pool(rows, recordings.astype(np.int32), np.ones(len(rows), np.float32), np.ones(len(rows), np.uint8))


def test_a_pool_is_left_without_what_sounds_like_what_its_own_listener_is_given():
    sound_of = np.array([0, -1, 0, 3, 3, 0, -1])
    pool = pool_of((0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 4), (1, 6))
    left = without_sounds_of(pool, pool_of((0, 2), (1, 3), (1, 1)), sound_of)
    assert list(zip(left.rows, left.recordings, strict=True)) == [(0, 1), (0, 2), (0, 3), (1, 0), (1, 6)]
    assert without_sounds_of(pool, pool_of((0, 2)), None) is pool
    assert len(without_sounds_of(pool, pool_of(), sound_of)) == len(pool)


@pytest.mark.parametrize("minimum_kept", [0, 60])
def test_of_candidates_that_are_one_in_sound_the_best_is_kept_and_the_others_are_counted(minimum_kept):
    world = random_world(2, listeners=20, recordings=60, restrictions=False)
    features = with_near_duplicates(world.features(), np.arange(60), np.arange(60) // 3)
    how = CollaborativeParams(factors=6, regularization=0.1, regularization_scaling="constant", threads=1)
    factors = fit_collaborative(world.interactions, features.user_id, features.recordings.recording_id, how, 1)
    retriever = ExactRetriever(factors.recording_factors, factors.retrievable)
    found = find_candidates(
        features, factors, retriever, CandidateParams(candidate_count=60, minimum_kept=minimum_kept)
    )
    _, pool = from_batch(found.table.combine_chunks().to_batches()[0])
    keys = pool.rows * 20 + pool.recordings // 3
    assert len(np.unique(keys)) == len(keys) > 100
    everything = factors.listener_factors @ factors.recording_factors.T
    allowed = ~forbidden(features, np.arange(20)) & factors.retrievable
    for row, recording, personal in zip(pool.rows, pool.recordings, pool.is_personal(), strict=True):
        mates = [mate for mate in range(recording // 3 * 3, recording // 3 * 3 + 3) if allowed[row, mate]]
        if personal:
            assert everything[row, recording] >= everything[row, mates].max() - 1e-5
    counted = {row["rule_id"]: row["candidates"] for row in found.funnel.to_pylist() if row["stage"] == "filter"}
    assert counted["near_duplicate"] > 0
