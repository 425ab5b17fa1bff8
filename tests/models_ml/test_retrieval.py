"""One battery for both search engines, and what only one of them has."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.errors import InputError
from models_ml.neighbours import shortlist
from models_ml.retrieval import (
    ExactRetriever,
    RetrievalParams,
    UsearchRetriever,
    build_retriever,
    engine_of,
    inner_products,
    recall_of_each,
)

ENGINES = [RetrievalParams(engine="exact"), RetrievalParams(engine="usearch")]
both_engines = pytest.mark.parametrize("params", ENGINES, ids=lambda params: params.engine)
# Against the query (1, 0): inner products 1, 3, 2, -1, 3.
VECTORS = np.array([[1, 9], [3, 0], [2, -5], [-1, 1], [3, 4]], dtype=np.float32)
QUERY = np.array([[1, 0]], dtype=np.float32)


def everything(count: int) -> np.ndarray:
    return np.ones(count, dtype=bool)


def random_vectors(count: int, factors: int = 16, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, factors)).astype(np.float32)


@settings(max_examples=200, deadline=None)
@given(
    shape=st.tuples(st.integers(0, 4), st.integers(0, 150)),
    k=st.integers(1, 40),
    distinct=st.integers(1, 500),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_shortlist_holds_the_k_highest_and_their_ties_and_nothing_that_is_minus_infinity(shape, k, distinct, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-1, distinct, shape).astype(np.float32)
    scores[scores < 0] = -np.inf
    rows, columns = shortlist(scores, k)
    kept = np.zeros(shape, dtype=bool)
    kept[rows, columns] = True
    assert np.array_equal(np.stack(np.nonzero(kept)), np.stack([rows, columns])), "by row, then column, each once"
    assert np.isfinite(scores[kept]).all()
    for row, is_kept in zip(scores, kept, strict=True):
        finite = np.sort(row[np.isfinite(row)])[::-1]
        assert not len(finite) or is_kept[row >= finite[min(k, len(finite)) - 1]].all()


def test_the_shortlist_is_short_where_the_highest_stand_apart_and_where_they_stand_together():
    scattered = np.random.default_rng(0).permuted(np.arange(20_000, dtype=np.float32)[None].repeat(3, 0), axis=1)
    together = np.arange(20_000, dtype=np.float32)[None].repeat(3, 0)
    for scores in (scattered, together):
        rows, _ = shortlist(scores, 300)
        assert np.bincount(rows).max() < 450


@both_engines
def test_the_best_come_first_and_ties_go_to_the_lower_position(params):
    found = build_retriever(VECTORS, everything(5), params, 1_000).search(QUERY, 4)
    assert found.positions.tolist() == [[1, 4, 2, 0]]
    assert found.scores.tolist() == [[3, 3, 2, 1]]


@both_engines
def test_the_longest_vector_does_not_win_where_it_points_elsewhere(params):
    vectors = np.array([[100, 0], [0, 1]], dtype=np.float32)
    found = build_retriever(vectors, everything(2), params, 1_000).search(np.array([[0, 1]], dtype=np.float32), 1)
    assert found.positions.tolist() == [[1]]


@both_engines
def test_what_is_not_retrievable_is_never_found(params):
    retrievable = np.array([True, False, True, True, False])
    found = build_retriever(VECTORS, retrievable, params, 1_000).search(QUERY, 5)
    assert found.positions.tolist() == [[2, 0, 3, -1, -1]]
    assert found.scores.tolist() == [[2, 1, -1, 0, 0]]


@both_engines
def test_a_query_of_zeros_finds_nothing(params):
    queries = np.array([[0, 0], [1, 0]], dtype=np.float32)
    found = build_retriever(VECTORS, everything(5), params, 1_000).search(queries, 2)
    assert found.positions.tolist() == [[-1, -1], [1, 4]]


@both_engines
@pytest.mark.parametrize("queries", [0, 1, 3])
def test_the_answer_has_one_row_a_query_and_k_columns(params, queries):
    retriever = build_retriever(VECTORS, everything(5), params, 1_000)
    found = retriever.search(np.ones((queries, 2), dtype=np.float32), 7)
    assert found.positions.shape == found.scores.shape == (queries, 7)
    assert (found.positions[:, 5:] == -1).all()


@both_engines
def test_an_empty_catalogue_has_nothing(params):
    retriever = build_retriever(VECTORS, np.zeros(5, dtype=bool), params, 1_000)
    assert retriever.search(QUERY, 2).positions.tolist() == [[-1, -1]]


@both_engines
def test_searching_twice_gives_the_same_bytes(params):
    vectors, queries = random_vectors(500), random_vectors(40, seed=1)
    first, second = (build_retriever(vectors, everything(500), params, 1_000).search(queries, 20) for _ in range(2))
    assert first.positions.tobytes() == second.positions.tobytes()
    assert first.scores.tobytes() == second.scores.tobytes()


@both_engines
def test_numbers_that_are_not_numbers_are_refused(params):
    broken = VECTORS.copy()
    broken[3, 1] = np.nan
    with pytest.raises(InputError, match="row 3 has a value that is not a number"):
        build_retriever(broken, everything(5), params, 1_000)


@both_engines
def test_the_threads_do_not_change_the_answer(params):
    vectors, queries = random_vectors(400), random_vectors(33, seed=1)
    answers = [
        build_retriever(vectors, everything(400), replace(params, threads=threads), 1_000).search(queries, 10)
        for threads in (1, 2)
    ]
    assert answers[0].positions.tobytes() == answers[1].positions.tobytes()
    assert answers[0].scores.tobytes() == answers[1].scores.tobytes()


def test_both_engines_score_a_pair_the_same_to_the_last_bit():
    vectors, queries = random_vectors(300), random_vectors(20, seed=1)
    exact, graph = (build_retriever(vectors, everything(300), params, 1_000).search(queries, 300) for params in ENGINES)
    assert exact.positions.tobytes() == graph.positions.tobytes()
    assert exact.scores.tobytes() == graph.scores.tobytes()


def test_equal_vectors_tie_wherever_they_stand():
    vectors = np.repeat(random_vectors(1, factors=33), 1000, axis=0)
    found = ExactRetriever(vectors, everything(1000)).search(random_vectors(3, factors=33, seed=1), 30)
    assert found.positions.tolist() == [list(range(30))] * 3


def test_a_pair_is_scored_the_same_to_the_last_bit_among_many_of_its_row_and_among_few():
    rows, positions = np.repeat(np.arange(5), 60), np.tile(np.arange(60), 5)
    queries, vectors = random_vectors(5), random_vectors(60, seed=1)
    together = inner_products(queries, vectors, rows, positions)
    mixed = np.random.default_rng(3).permutation(len(rows))
    apart = inner_products(queries, vectors, rows[mixed], positions[mixed])
    assert np.array_equal(apart, together[mixed])


def test_exact_search_leaves_out_what_is_forbidden_to_a_query():
    forbidden = np.zeros((2, 5), dtype=bool)
    forbidden[1, [1, 2]] = True
    found = ExactRetriever(VECTORS, everything(5)).search(np.repeat(QUERY, 2, axis=0), 3, forbidden)
    assert found.positions.tolist() == [[1, 4, 2], [4, 0, 3]]


def test_the_index_is_the_same_bytes_each_time_and_survives_a_file(tmp_path):
    vectors, queries = random_vectors(600), random_vectors(10, seed=1)
    params = RetrievalParams(engine="usearch")
    built = [UsearchRetriever.build(vectors, everything(600), params) for _ in range(2)]
    for number, retriever in enumerate(built):
        retriever.save(tmp_path / f"{number}.usearch")
    assert (tmp_path / "0.usearch").read_bytes() == (tmp_path / "1.usearch").read_bytes()
    loaded = UsearchRetriever.load(tmp_path / "0.usearch", vectors, params)
    assert loaded.search(queries, 5).positions.tolist() == built[0].search(queries, 5).positions.tolist()


def test_a_missing_index_is_named(tmp_path):
    with pytest.raises(InputError, match=r"lost\.usearch: the index is missing"):
        UsearchRetriever.load(tmp_path / "lost.usearch", VECTORS, RetrievalParams())


def test_the_index_finds_nearly_all_that_exact_search_finds():
    vectors, queries = random_vectors(3000), random_vectors(50, seed=1)
    exact = ExactRetriever(vectors, everything(3000))
    graph = UsearchRetriever.build(vectors, everything(3000), RetrievalParams())
    assert recall_of_each(graph, exact, queries, 100).mean() > 0.9


def test_recall_is_the_share_of_the_best_that_is_found():
    exact = ExactRetriever(VECTORS, everything(5))
    # The best two of (1, 0) are 1 and 4; without 4 the other finds 1 and 2.
    half = ExactRetriever(VECTORS, np.array([True, True, True, True, False]))
    assert recall_of_each(exact, exact, QUERY, 2).tolist() == [1.0]
    assert recall_of_each(half, exact, QUERY, 2).tolist() == [1 / 2]
    assert np.isnan(recall_of_each(exact, exact, np.zeros((1, 2), dtype=np.float32), 2)).all()


def test_few_recordings_are_searched_exactly_and_many_by_index():
    params = RetrievalParams(exact_below=100)
    assert engine_of(99, 1_000, params) == "exact"
    assert engine_of(100, 1_000, params) == "usearch"
    assert engine_of(100, 99, params) == "exact", "fewer listeners than recordings never pay for an index"
    with pytest.raises(InputError, match="engine is 'magic'"):
        engine_of(1, 1, RetrievalParams(engine="magic"))
