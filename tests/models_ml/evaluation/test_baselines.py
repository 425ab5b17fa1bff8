"""One battery for every baseline, on weeks whose answer is known, and each method against a plain loop."""

from dataclasses import replace
from math import log

import numpy as np
import pytest

from models_ml.eligibility import filter_codes, forbidden
from models_ml.errors import InputError
from models_ml.evaluation import baselines, item_models
from models_ml.evaluation.baselines import BASELINES, BaselineParams, baseline_lists, liked_matrix
from models_ml.evaluation.item_models import bm25_weights, fit_ease, fit_item_knn
from models_ml.near_duplicates import with_near_duplicates
from tests.models_ml.evaluation.evaluation_worlds import block_world, world_of
from tests.models_ml.feature_worlds import random_world

PARAMS = BaselineParams(ease_lambda=5.0)
PERSONAL = ("item_knn", "ease")
POPULAR = ("most_popular", "recently_popular")
SMALL = [[0, 1, 2], [0, 1, 3], [0, 2], [1, 3, 4], [4], []]


def lists_of(features, k=5, params=PARAMS, listeners=None):
    everyone = np.arange(features.listener_count) if listeners is None else np.asarray(listeners)
    return baseline_lists(features, everyone, k, params)


def listed(row) -> list[int]:
    return [value for value in row.tolist() if value >= 0]


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("seed", range(4))
def test_nothing_that_a_filter_takes_out_is_ever_listed_and_nothing_twice(name, seed):
    features = random_world(seed, listeners=40, recordings=80, per_listener=25).features()
    lists = lists_of(features, k=40)[name]
    rows, places = np.nonzero(lists >= 0)
    assert not filter_codes(features, rows, lists[rows, places].astype(np.int64)).any()
    for row in lists:
        assert len(set(listed(row))) == len(listed(row)) > 0
        assert (row[len(listed(row)) :] == -1).all()


@pytest.mark.parametrize("name", BASELINES)
def test_a_list_holds_all_that_there_is_evidence_for_where_k_is_large(name):
    features = random_world(3, listeners=30, recordings=60, per_listener=20).features()
    lists = lists_of(features, k=60)[name]
    liked = liked_matrix(features).toarray() > 0
    passing = ~forbidden(features, np.arange(30))
    evidence = {
        "most_popular": np.tile(liked.any(axis=0), (30, 1)),
        "recently_popular": np.tile(features.recordings.recent_listener_count > 0, (30, 1)),
        "item_knn": (liked @ (liked.T.astype(int) @ liked * (1 - np.eye(60, dtype=int)))) > 0,
        "ease": np.tile(liked.any(axis=0), (30, 1)) & liked.any(axis=1)[:, None],
    }[name]
    for row, expected in zip(lists, evidence & passing, strict=True):
        assert sorted(listed(row)) == np.flatnonzero(expected).tolist()


@pytest.mark.parametrize("name", BASELINES)
def test_of_what_is_one_in_sound_the_best_is_listed_and_nothing_that_sounds_like_what_was_heard(name):
    world = random_world(5, listeners=40, recordings=90, per_listener=12)
    features = with_near_duplicates(world.features(), np.arange(60), np.arange(60) // 3 * 3)
    whole = lists_of(replace(features, sound_of=None), k=90)[name]
    sound = np.concatenate([np.arange(60) // 3 * 3, np.arange(60, 90)])
    shorter = 0
    for row, each, heard in zip(lists_of(features, k=25)[name], whole, world_heard(world), strict=True):
        first = [one for place, one in enumerate(listed(each)) if sound[one] not in sound[listed(each)[:place]]]
        assert listed(row) == first[:25]
        assert not set(sound[listed(row)]) & set(sound[heard])
        shorter += len(first) < len(listed(each))
    assert shorter > 10


def world_heard(world) -> list[list[int]]:
    """What each listener has heard."""
    heard = [[] for _ in range(len(world.listeners))]
    for row in world.exclusions.to_pylist():
        heard[row["user_index"]].append(row["recording_index"])
    return heard


@pytest.mark.parametrize("name", PERSONAL)
def test_what_the_own_block_likes_comes_first(name):
    world = block_world(1)
    lists = lists_of(world.features, k=15)[name]
    for row, unheard in zip(lists, world.unheard, strict=True):
        assert len(set(row.tolist()) & set(unheard.tolist())) == 15


@pytest.mark.parametrize("name", BASELINES)
def test_the_same_lists_whatever_the_blocks_and_the_company(name, monkeypatch):
    features = random_world(5, listeners=50, recordings=90).features()
    whole = lists_of(features)[name]
    np.testing.assert_array_equal(lists_of(features, listeners=[49, 3, 3, 20])[name], whole[[49, 3, 3, 20]])
    monkeypatch.setattr(baselines, "_FEWEST_LISTENERS", 7)
    monkeypatch.setattr(baselines, "_BLOCK_CELLS", 0)
    monkeypatch.setattr(baselines, "_WINDOW", 4)
    monkeypatch.setattr(item_models, "_PRODUCTS_AT_ONCE", 50)
    monkeypatch.setattr(item_models, "_MIRRORED_ROWS", 11)
    np.testing.assert_array_equal(lists_of(features)[name], whole)


@pytest.mark.parametrize("name", BASELINES)
def test_a_shorter_list_is_the_beginning_of_a_longer_one(name):
    features = random_world(6, listeners=50, recordings=90).features()
    np.testing.assert_array_equal(lists_of(features, k=3)[name], lists_of(features, k=30)[name][:, :3])


@pytest.mark.parametrize("name", PERSONAL)
def test_who_likes_nothing_gets_nothing_from_what_others_like(name):
    features = world_of(SMALL, 6).features()
    assert listed(lists_of(features)[name][5]) == []


@pytest.mark.parametrize("name", POPULAR)
def test_who_likes_nothing_gets_what_is_popular(name):
    features = world_of(SMALL, 6).features()
    # Liked by 3, 3, 2, 2, 2 and nobody.
    assert listed(lists_of(features)[name][5]) == [0, 1, 2, 3, 4]


def test_popularity_skips_what_the_listener_has_heard():
    features = world_of(SMALL, 6).features()
    assert listed(lists_of(features, k=2)["most_popular"][0]) == [3, 4]
    assert listed(lists_of(features, k=2)["most_popular"][4]) == [0, 1]


def test_a_dislike_makes_nothing_popular():
    features = world_of([[0], [1], [1], []], 3, disliked=[[2], [2], [2], []]).features()
    assert listed(lists_of(features)["most_popular"][3]) == [1, 0]


def test_recent_popularity_is_by_recent_listeners():
    features = world_of(SMALL, 6, recent=[0, 1, 5, 5, 2, 9]).features()
    assert listed(lists_of(features)["recently_popular"][5]) == [5, 2, 3, 4, 1]


def test_a_blocked_artist_and_explicit_recordings_are_left_out():
    features = world_of(SMALL, 6, explicit=[1], blocked=[(5, 2)]).features()
    lists = lists_of(features)
    assert listed(lists["most_popular"][5]) == [0, 3, 4]
    assert all(1 not in listed(row) for values in lists.values() for row in values)


@pytest.mark.parametrize("name", BASELINES)
def test_ties_go_by_position(name):
    # Recordings 1 to 4 are each liked by one listener beside 0: equally popular, equally near to it.
    features = world_of([[0, 4], [0, 2], [0, 3], [0, 1], [0]], 5).features()
    assert listed(lists_of(features)[name][4]) == [1, 2, 3, 4]
    assert listed(lists_of(features, k=2)[name][4]) == [1, 2]


@pytest.mark.parametrize("name", BASELINES)
def test_one_listener_alone_has_nothing_left_to_hear(name):
    features = world_of([[0, 1]], 3).features()
    assert listed(lists_of(features)[name][0]) == []


@pytest.mark.parametrize("name", BASELINES)
def test_without_interactions_all_lists_are_empty(name):
    features = world_of([[], []], 4).features()
    assert (lists_of(features)[name] == np.full((2, 5), -1)).all()


@pytest.mark.parametrize("name", BASELINES)
def test_no_listeners_no_lists(name):
    features = world_of(SMALL, 6).features()
    assert lists_of(features, listeners=np.empty(0, dtype=int))[name].shape == (0, 5)


def test_ease_is_left_out_above_its_limit():
    features = world_of(SMALL, 6).features()
    # Five recordings are liked by anybody.
    assert "ease" in lists_of(features, params=BaselineParams(ease_max_recordings=5))
    assert "ease" not in lists_of(features, params=BaselineParams(ease_max_recordings=4))


def test_ease_weights_solve_one_regression_a_recording():
    liked = liked_matrix(world_of(SMALL, 6).features())
    history = (liked.toarray() > 0).astype(float)[:, :5]
    found = fit_ease(liked, 2.0)
    assert found.recordings.tolist() == [0, 1, 2, 3, 4]
    for recording in range(5):
        # Column j minimises |x_j - X b|^2 + lambda |b|^2 with b_j = 0.
        others = [other for other in range(5) if other != recording]
        left = history[:, others].T @ history[:, others] + 2.0 * np.eye(4)
        expected = np.linalg.solve(left, history[:, others].T @ history[:, recording])
        assert found.weights[others, recording] == pytest.approx(expected, abs=1e-12)
        assert found.weights[recording, recording] == 0.0


def test_ease_lists_are_those_of_a_plain_loop():
    features = random_world(8, listeners=25, recordings=30, restrictions=False).features()
    history = (liked_matrix(features).toarray() > 0).astype(float)
    known = np.flatnonzero(history.any(axis=0))
    inverse = np.linalg.inv(history[:, known].T @ history[:, known] + 5.0 * np.eye(len(known)))
    passing = ~forbidden(features, np.arange(25))
    for user, row in enumerate(lists_of(features)["ease"]):
        scores = {}
        for place, recording in enumerate(known):
            others = [i for i, other in enumerate(known) if other != recording and history[user, other]]
            if passing[user, recording] and history[user].any():
                scores[int(recording)] = sum(-inverse[i, place] / inverse[place, place] for i in others)
        assert listed(row) == best(scores, 5)


def test_bm25_weights_follow_the_formula():
    features = world_of([[0, 1], [1], [1, 2]], 4, confidence=3.0).features()
    weights = bm25_weights(liked_matrix(features), 1.2, 0.75).toarray()
    # Three recordings are liked, 3, 9 and 3 of confidence in all, 5 on average; listener 0 likes two of the three.
    idf = log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    assert weights[0, 1] == pytest.approx(idf * 3 * 2.2 / (3 + 1.2 * (0.25 + 0.75 * 9 / 5)))
    assert weights[0, 0] == pytest.approx(idf * 3 * 2.2 / (3 + 1.2 * (0.25 + 0.75 * 3 / 5)))
    assert weights[0, 2] == weights[1, 0] == 0


@pytest.mark.parametrize("neighbours", [1, 3, 100])
def test_item_knn_is_that_of_a_plain_loop(neighbours):
    features = random_world(9, listeners=25, recordings=30, restrictions=False).features()
    liked = liked_matrix(features)
    weights = bm25_weights(liked, 1.2, 0.75).toarray()
    nearest = []
    for i in range(30):
        near = {j: sum(weights[:, i] * weights[:, j]) for j in range(30) if j != i}
        near = {j: value for j, value in near.items() if value > 0}
        nearest.append({j: near[j] for j in best(near, neighbours)})
    found = fit_item_knn(liked, neighbours, 1.2, 0.75).similarity.toarray()
    expected = np.array([[near.get(j, 0.0) for j in range(30)] for near in nearest])
    np.testing.assert_allclose(found, expected, atol=1e-12)
    passing = ~forbidden(features, np.arange(25))
    lists = lists_of(features, params=BaselineParams(knn_neighbours=neighbours))["item_knn"]
    for user, row in enumerate(lists):
        own = np.flatnonzero(liked.toarray()[user])
        scores = {j: sum(nearest[i].get(j, 0.0) for i in own) for j in range(30) if passing[user, j]}
        assert listed(row) == best({j: value for j, value in scores.items() if value > 0}, 5)


def test_wrong_questions_are_refused():
    features = world_of(SMALL, 6).features()
    with pytest.raises(InputError, match="k is 0; it must be 1 or more"):
        lists_of(features, k=0)
    with pytest.raises(InputError, match="listener 6 in place 1; those known are 0 to 5"):
        lists_of(features, listeners=[0, 6])


def best(scores, k):
    """The k highest, ties by position; equal to nine decimals is equal."""
    return sorted(scores, key=lambda place: (-round(scores[place], 9), place))[:k]
