"""For whom the index finds enough: tenths of the listeners by popularity of taste, recall, the gate."""

from dataclasses import replace

import numpy as np

from models_ml.features import Interactions, Pairs
from models_ml.neighbours import Neighbours
from models_ml.retrieval import ExactRetriever, RetrievalParams
from models_ml.retrieval_quality import NO_TASTE, choose_probes, measure, searched_exactly, taste_deciles

LISTENERS, RECORDINGS = 40, 60
PARAMS = RetrievalParams(recall_at=10, minimum_recall=0.95)


def likes_one_each(recording: np.ndarray) -> Interactions:
    """Listener u likes recording[u]."""
    indptr = np.arange(len(recording) + 1)
    return Interactions(
        Pairs(indptr, recording.astype(np.int32), RECORDINGS), np.ones(len(recording)), np.ones(len(recording), np.int8)
    )


def test_the_first_tenth_likes_what_few_like_and_the_last_what_all_like():
    recording = np.arange(LISTENERS)[::-1]
    deciles = taste_deciles(likes_one_each(recording), np.linspace(0, 1, RECORDINGS), np.ones(LISTENERS, dtype=bool))
    # Listener 39 likes recording 0, the least popular one; forty listeners are four a tenth.
    assert deciles[39] == 0
    assert deciles[0] == 9
    assert np.bincount(deciles).tolist() == [4] * 10


def test_disliking_is_no_taste_and_without_a_vector_there_is_none():
    interactions = likes_one_each(np.arange(LISTENERS))
    disliked = replace(interactions, preference=np.where(np.arange(LISTENERS) == 39, -1, 1).astype(np.int8))
    has_vector = np.arange(LISTENERS) != 5
    deciles = taste_deciles(disliked, np.linspace(0, 1, RECORDINGS), has_vector)
    assert deciles[5] == NO_TASTE
    assert deciles[39] == 4, "who only dislikes the popular has no popular taste, nor a niche one"


def test_who_likes_nothing_stands_in_the_middle_and_no_tenth_is_said_to_be_of_the_niche_for_them():
    # The last ten of forty like nothing; of the others the later likes the more popular.
    likes = np.arange(LISTENERS) < 30
    interactions = replace(likes_one_each(np.arange(LISTENERS)), preference=np.where(likes, 1, -1).astype(np.int8))
    deciles = taste_deciles(interactions, np.linspace(0, 1, RECORDINGS), np.ones(LISTENERS, dtype=bool))
    assert np.bincount(deciles).tolist() == [4] * 10
    assert deciles[:15].tolist() == [place // 4 for place in range(15)]
    assert deciles[30:].tolist() == [place // 4 for place in range(15, 25)]
    assert deciles[15:30].tolist() == [place // 4 for place in range(25, 40)]


def test_where_nobody_likes_anything_the_tenths_are_by_position():
    interactions = replace(likes_one_each(np.arange(20)), preference=np.full(20, -1, dtype=np.int8))
    deciles = taste_deciles(interactions, np.linspace(0, 1, RECORDINGS), np.ones(20, dtype=bool))
    assert deciles.tolist() == [place // 2 for place in range(20)]


def test_probes_come_from_every_tenth_and_are_the_same_each_time():
    deciles = np.repeat(np.arange(-1, 9), 4)
    probes = choose_probes(deciles, 20, seed=3)
    assert np.bincount(probes.decile, minlength=10).tolist() == [2] * 9 + [0]
    assert (deciles[probes.listeners] == probes.decile).all()
    assert probes.listeners.tolist() == choose_probes(deciles, 20, seed=3).listeners.tolist()


class BlindToTheFirstCoordinate:
    """Finds all that exact search finds, except for queries that look along the first coordinate."""

    def __init__(self, exact: ExactRetriever) -> None:
        self._exact = exact

    def search(self, queries: np.ndarray, k: int) -> Neighbours:
        found = self._exact.search(queries, k)
        blind = queries[:, 0] != 0
        return Neighbours(np.where(blind[:, None] & (np.arange(k) == 0), -1, found.positions), found.scores)


def test_a_tenth_for_which_the_index_finds_too_little_is_searched_exactly():
    vectors = np.random.default_rng(0).normal(size=(RECORDINGS, 2)).astype(np.float32)
    exact = ExactRetriever(vectors, np.ones(RECORDINGS, dtype=bool))
    deciles = np.repeat(np.arange(10), 4)
    factors = np.where(deciles[:, None] == 7, [[1.0, 0.0]], [[0.0, 1.0]]).astype(np.float32)
    quality = measure(BlindToTheFirstCoordinate(exact), exact, factors, choose_probes(deciles, 40, 0), PARAMS)
    rows = {row["decile"]: row for row in quality.to_pylist()}
    assert rows[7]["recall"] == 9 / 10
    assert rows[7]["searched"] == "exact"
    assert {rows[decile]["searched"] for decile in range(10) if decile != 7} == {"usearch"}
    assert np.flatnonzero(searched_exactly(deciles, quality)).tolist() == [28, 29, 30, 31]


def test_exact_search_finds_all_and_one_tenth_without_probes_is_no_row():
    vectors = np.eye(2, dtype=np.float32)
    exact = ExactRetriever(vectors, np.ones(2, dtype=bool))
    quality = measure(
        exact, exact, np.ones((3, 2), dtype=np.float32), choose_probes(np.array([0, 4, -1]), 10, 0), PARAMS
    )
    assert quality["decile"].to_pylist() == [0, 4]
    assert quality["recall"].to_pylist() == [1.0, 1.0]
    assert quality["searched"].to_pylist() == ["exact", "exact"]
