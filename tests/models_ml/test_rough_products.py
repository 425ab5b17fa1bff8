"""Products in fewer digits: nothing that can be among the best is lost, and the search by them answers the same."""

from itertools import cycle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml import retrieval
from models_ml.neighbours import Neighbours
from models_ml.retrieval import ExactRetriever
from models_ml.rough_products import Contenders, RoughProducts


@settings(max_examples=150, deadline=None)
@given(
    vectors=st.integers(1, 700),
    factors=st.integers(1, 40),
    k=st.integers(0, 60),
    scale=st.sampled_from([1e-20, 1e-3, 1.0, 1e4]),
    spread=st.floats(0.0, 3.0),
    shared=st.floats(0.0, 2.0),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_k_best_are_among_the_contenders_of_whoever_it_is_sure_of(vectors, factors, k, scale, spread, shared, seed):
    rng = np.random.default_rng(seed)
    lengths = scale * np.exp(spread * rng.normal(size=(vectors, 1)))
    of_all = ((rng.normal(size=(vectors, factors)) + shared) * lengths).astype(np.float32)
    queries = (rng.normal(size=(8, factors)) + shared).astype(np.float32)
    found = RoughProducts(of_all).contenders(queries, k)
    scores = queries.astype(np.float64) @ of_all.T.astype(np.float64)
    for row in np.flatnonzero(found.surely):
        kth = np.sort(scores[row])[-min(max(k, 1), vectors)]
        assert set(np.flatnonzero(scores[row] >= kth)) <= set(found.places[found.rows == row])
    assert not np.isin(found.rows, np.flatnonzero(~found.surely)).any()
    assert (np.diff(found.rows) >= 0).all()


def test_it_is_sure_of_all_and_leaves_a_small_part_where_lengths_differ():
    rng = np.random.default_rng(0)
    vectors = (rng.normal(size=(20_000, 64)) * rng.gamma(2, size=(20_000, 1))).astype(np.float32)
    found = RoughProducts(vectors).contenders(rng.normal(size=(50, 64)).astype(np.float32), 300)
    assert found.surely.all()
    assert 300 <= len(found.rows) / 50 < 0.1 * len(vectors)


def test_it_says_nothing_of_a_query_of_zeros_and_of_one_that_everything_is_against():
    vectors = np.abs(np.random.default_rng(0).normal(size=(500, 8))).astype(np.float32)
    found = RoughProducts(vectors).contenders(np.stack([np.zeros(8), -np.ones(8), np.ones(8)]).astype(np.float32), 10)
    assert found.surely.tolist() == [False, False, True]


@pytest.fixture
def rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded numbers first once it is time to, whatever the machine."""
    monkeypatch.setattr(retrieval, "_FEWEST_ROUNDED", 1)
    seconds = cycle([1.0, 2.0])
    monkeypatch.setattr(retrieval, "_seconds", lambda work: next(seconds))


def searched(vectors: np.ndarray, queries: np.ndarray, k: int, forbidden: np.ndarray | None) -> Neighbours:
    retriever = ExactRetriever(vectors, np.arange(len(vectors)) % 7 > 0, rounded_after=1)
    return retriever.search(queries, k, forbidden)


@pytest.mark.parametrize("forbids", [False, True])
def test_answers_are_the_same_to_the_byte(forbids: bool, request: pytest.FixtureRequest) -> None:
    rng = np.random.default_rng(3)
    vectors = (rng.normal(size=(3000, 24)) + 0.3).astype(np.float32)
    vectors[1000:1100] = vectors[1000]  # ties
    queries = (rng.normal(size=(70, 24)) + 0.3).astype(np.float32)
    queries[5], queries[9] = 0.0, -queries[9]
    forbidden = rng.random((70, 3000)) < 0.5 if forbids else None
    whole = searched(vectors, queries, 200, forbidden)  # too few for it
    request.getfixturevalue("rounded")
    by_rounded = searched(vectors, queries, 200, forbidden)
    assert whole.positions.tobytes() == by_rounded.positions.tobytes()
    assert whole.scores.tobytes() == by_rounded.scores.tobytes()


@pytest.mark.parametrize("is_faster", [True, False])
def test_rounding_begins_when_enough_was_asked_and_only_where_it_is_faster(
    is_faster: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieval, "_FEWEST_ROUNDED", 100)
    seconds = iter([1.0, 2.0] if is_faster else [2.0, 1.0])
    monkeypatch.setattr(retrieval, "_seconds", lambda work: next(seconds))
    asked: list[int] = []
    as_ever = RoughProducts.contenders

    def noted(rough: RoughProducts, queries: np.ndarray, k: int) -> Contenders:
        asked.append(len(queries))
        return as_ever(rough, queries, k)

    monkeypatch.setattr(RoughProducts, "contenders", noted)
    vectors = np.ones((100, 4), dtype=np.float32)
    retriever = ExactRetriever(vectors, np.ones(100, dtype=bool), threads=1, rounded_after=1500)
    for _ in range(4):
        assert retriever.search(np.ones((6, 4), dtype=np.float32), 3).positions.tolist() == [[0, 1, 2]] * 6
    assert asked == ([6, 6] if is_faster else []), "the third and fourth of four searches"
