"""Tests of what is told of a list whatever its listener did: arithmetic on small lists."""

from math import log

import numpy as np
import pyarrow as pa
import pytest

from models_ml.evaluation import beyond_accuracy
from models_ml.evaluation.beyond_accuracy import FACTS, Known, ListFacts
from models_ml.genres import read_genres
from tests.models_ml.evaluation.evaluation_worlds import world_of
from tests.models_ml.feature_worlds import table

# Listener 0 likes and has heard recordings 0 and 1, listener 1 recording 2, listener 2 nothing.
HEARD = [[0, 1], [2], []]
CUTOFFS = (2, 4)


def known(vectors=None, genres=None, long_tail=(), **changes):
    world = world_of(HEARD, 8).replaced(**changes)
    features = world.features()
    is_long_tail = np.isin(np.arange(8), long_tail)
    of = None if genres is None else read_genres(pa.array(genres, pa.list_(pa.string())), np.zeros((8, 2)))
    placed = None if vectors is None else np.array(vectors, dtype=np.float32)
    return Known(features, np.full(8, -1.0), is_long_tail, placed, of)


def facts_of(lists, week=None, listeners=(0, 1, 2)):
    return ListFacts(week or known(), np.array(listeners)).of(np.asarray(lists), CUTOFFS)


def test_diversity_is_one_less_the_mean_cosine_of_all_pairs():
    corner = np.sqrt(0.5)
    vectors = [[3, 0], [0, 2], [5, 5], [-1, 0], [0, 0], [0, 0], [0, 0], [0, 0]]
    found = facts_of([[0, 1, 2, -1], [0, 3, -1, -1], [0, 0, 0, 0]], known(vectors))
    assert found["intra_list_diversity", 2][:2] == pytest.approx([1.0, 2.0])
    assert found["intra_list_diversity", 4][0] == pytest.approx(1 - (0 + corner + corner) / 3)


def test_one_alone_has_no_diversity_and_what_nothing_is_known_of_makes_no_pair():
    vectors = [[1, 0], [0, 1], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0]]
    found = facts_of([[0, 4, 5, 6], [0, 4, 1, -1], [-1, -2, -1, -1]], known(vectors))
    assert np.isnan(found["intra_list_diversity", 4][[0, 2]]).all()
    assert found["intra_list_diversity", 4][1] == pytest.approx(1.0)


def test_it_is_the_mean_over_every_pair_of_lists_at_random():
    random = np.random.default_rng(0)
    vectors = random.standard_normal((8, 5))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = facts_of([[0, 3, 5, 7]] * 3, known(vectors))
    cosines = [unit[a] @ unit[b] for place, a in enumerate((0, 3, 5, 7)) for b in (0, 3, 5, 7)[place + 1 :]]
    assert found["intra_list_diversity", 4][0] == pytest.approx(1 - np.mean(cosines), abs=1e-6)


def test_genres_in_the_listeners_own_proportions_are_near_and_others_far():
    genres = [["a"], ["b"], ["a"], ["a"], ["b"], ["c"], ["c"], None]
    found = facts_of([[3, 4, -1, -1], [5, 6, -1, -1], [3, 4, -1, -1]], known(genres=genres))["genre_kl", 2]
    assert found[0] == pytest.approx(0.0, abs=1e-6), "half a, half b, as they like it"
    # All of what listener 1 likes is a; the list has none of it: KL(1, 0.01).
    assert found[1] == pytest.approx(log(1 / 0.01), rel=1e-5)
    assert np.isnan(found[2]), "nothing is known of what they like"


def test_a_short_list_is_as_near_as_its_mix_and_an_empty_one_nowhere():
    genres = [["a"], ["b"], ["a"], ["a"], ["b"], ["c"], ["c"], None]
    found = facts_of([[3, -1, 4, -1], [-1, -1, -2, -1], [-1] * 4], known(genres=genres))
    assert found["genre_kl", 4][0] == pytest.approx(0.0, abs=1e-6)
    assert found["genre_kl", 2][0] == pytest.approx(0.5 * log(0.5 / (0.99 + 0.005)) + 0.5 * log(0.5 / 0.005), rel=1e-5)
    assert np.isnan(found["genre_kl", 4][1])


def test_shares_are_of_the_known_recordings_listed():
    knows = table("known_artists", user_index=[0, 0], artist_index=[3, 4], prior_plays=[1, 1], prior_tracks=[1, 1])
    week = known(long_tail=(4, 5), known_artists=knows)
    found = facts_of([[3, 4, 5, -2], [4, -1, -1, -1], [-1] * 4], week)
    assert found["long_tail_share", 4][:2] == pytest.approx([2 / 3, 1.0])
    assert found["long_tail_share", 2][0] == pytest.approx(1 / 2)
    assert found["new_artist_share", 4][:2] == pytest.approx([1 / 3, 1.0])
    assert found["new_artist_share", 2][0] == 0.0
    for metric in ("long_tail_share", "new_artist_share", "novelty"):
        assert np.isnan(found[metric, 4][2])


def test_any_credited_artist_who_is_known_makes_a_recording_not_new():
    features = world_of(HEARD, 8)
    credits = [[0], [1], [2], [3, 7], [4], [5], [6], [7]]
    column = pa.array(credits, pa.list_(pa.int32()))
    editions = features.editions.set_column(
        features.editions.column_names.index("artist_indexes"), "artist_indexes", column
    )
    knows = table("known_artists", user_index=[0], artist_index=[7], prior_plays=[1], prior_tracks=[1])
    found = facts_of([[3, 4, -1, -1]] * 3, known(editions=editions, known_artists=knows))
    assert found["new_artist_share", 2].tolist() == [0.5, 1.0, 1.0]


def test_what_is_not_known_of_a_week_is_nan_and_the_rest_is_there():
    found = facts_of([[3, 4, 5, 6]] * 3)
    for metric in FACTS:
        assert np.isnan(found[metric, 4]).all() == (metric in ("intra_list_diversity", "genre_kl"))


def test_blocks_of_listeners_change_no_fact(monkeypatch):
    random = np.random.default_rng(1)
    genres = [["a"], ["b"], ["a"], ["a"], ["b"], ["c"], ["c"], None]
    week = known(random.standard_normal((8, 3)), genres, (1, 2))
    lists = np.stack([random.permutation(8)[:4] for _ in range(3)])
    whole = facts_of(lists, week)
    monkeypatch.setattr(beyond_accuracy, "_BLOCK_LISTENERS", 1)
    for key, values in facts_of(lists, week).items():
        np.testing.assert_array_equal(values, whole[key])


def test_nobody_has_no_facts():
    found = facts_of(np.empty((0, 4), dtype=int), listeners=np.empty(0, dtype=int))
    assert {len(values) for values in found.values()} == {0}
