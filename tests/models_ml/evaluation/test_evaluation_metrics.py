"""Tests of the ranking metrics: against trec_eval and ranx, and where the answer is a line of arithmetic."""

from math import log2

import numpy as np
import pytest
import pytrec_eval
import ranx
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.arrays import Pairs
from models_ml.errors import InputError
from models_ml.evaluation import metrics
from models_ml.evaluation.metrics import (
    LIST_METRICS,
    best_metrics,
    catalogue_metrics,
    hits_of,
    list_metrics,
    log_shares,
    serendipity,
)

TREC_NAMES = {
    "recall": "recall",
    "precision": "P",
    "ndcg": "ndcg_cut",
    "hit_rate": "success",
    "average_precision": "map_cut",
}
RANX_NAMES = {
    "recall": "recall",
    "precision": "precision",
    "ndcg": "ndcg",
    "hit_rate": "hit_rate",
    "average_precision": "map",
    "reciprocal_rank": "mrr",
}


def truth_of(*lists, width=10):
    lengths = [len(values) for values in lists]
    values = np.array([value for owned in lists for value in sorted(owned)], dtype=np.int32)
    return Pairs(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), values, width)


def metrics_of(ranked, truth, k, shares=None):
    log_popularity = np.log2(np.full(truth.width, 0.5) if shares is None else np.asarray(shares))
    return list_metrics(np.asarray(ranked), truth, k, log_popularity)


@st.composite
def worlds(draw):
    """(ranked, truth as lists, recordings): short lists, padding, unknown recordings, truth beyond the list."""
    recordings = draw(st.integers(1, 25))
    listeners = draw(st.integers(1, 6))
    length = draw(st.integers(1, 12))
    everything = st.integers(0, recordings - 1)
    truth = [draw(st.sets(everything, min_size=1)) for _ in range(listeners)]
    ranked = np.full((listeners, length), -1)
    for row in ranked:
        listed = draw(st.lists(st.one_of(everything, st.integers(-12, -2)), unique=True, max_size=length))
        row[: len(listed)] = listed
    return ranked, truth, recordings


def named(ranked, truth):
    """(what is wanted, what is listed) as both libraries take it; scores fall strictly, so that ties never decide."""
    wanted = {f"listener_{row}": {f"r{value}": 1 for value in owned} for row, owned in enumerate(truth)}
    run = {
        f"listener_{row}": {f"r{value}": float(-place) for place, value in enumerate(listed) if value != -1}
        for row, listed in enumerate(ranked.tolist())
    }
    return wanted, run


def trec(ranked, truth, k):
    """Each metric of each listener by trec_eval."""
    wanted, run = named(ranked, truth)
    evaluator = pytrec_eval.RelevanceEvaluator(wanted, {*(f"{name}.{k}" for name in TREC_NAMES.values()), "recip_rank"})
    nothing = dict.fromkeys([*(f"{name}_{k}" for name in TREC_NAMES.values()), "recip_rank"], 0.0)
    found = evaluator.evaluate({listener: scores for listener, scores in run.items() if scores})
    return [found.get(f"listener_{row}", nothing) for row in range(len(truth))]


@settings(max_examples=300, deadline=None)
@given(worlds(), st.integers(1, 14))
def test_metrics_agree_with_trec_eval(world, k):
    ranked, truth, recordings = world
    found = metrics_of(ranked, truth_of(*truth, width=recordings), k)
    expected = trec(ranked, truth, k)
    for ours, theirs in TREC_NAMES.items():
        assert found[ours] == pytest.approx([row[f"{theirs}_{k}"] for row in expected], abs=1e-9)
    # trec_eval knows no cutoff for the reciprocal rank.
    whole = metrics_of(ranked, truth_of(*truth, width=recordings), ranked.shape[1])
    assert whole["reciprocal_rank"] == pytest.approx([row["recip_rank"] for row in expected], abs=1e-9)


def by_ranx(ranked, truth, k):
    """Each metric of each listener by ranx, which takes no empty list: a miss stands below every other place."""
    wanted, run = named(ranked, truth)
    run = {listener: scores | {"miss": -99.0} for listener, scores in run.items()}
    asked = [f"{name}@{k}" for name in RANX_NAMES.values()]
    return ranx.evaluate(ranx.Qrels(wanted), ranx.Run(run), asked, return_mean=False, threads=1)


@settings(max_examples=100, deadline=None)
@given(worlds(), st.integers(1, 14))
def test_metrics_agree_with_ranx(world, k):
    ranked, truth, recordings = world
    found = metrics_of(ranked, truth_of(*truth, width=recordings), k)
    expected = by_ranx(ranked, truth, k)
    for ours, theirs in RANX_NAMES.items():
        assert found[ours] == pytest.approx(np.atleast_1d(expected[f"{theirs}@{k}"]), abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(worlds(), st.integers(1, 14))
def test_blocks_of_listeners_change_nothing(world, k):
    ranked, truth, recordings = world
    pairs = truth_of(*truth, width=recordings)
    whole = metrics_of(ranked, pairs, k)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "_BLOCK_LISTENERS", 2)
        in_blocks = metrics_of(ranked, pairs, k)
    for name in LIST_METRICS:
        np.testing.assert_array_equal(whole[name], in_blocks[name])


@settings(max_examples=100, deadline=None)
@given(worlds(), st.integers(1, 14))
def test_no_list_beats_the_best_one_and_a_list_of_truth_reaches_it(world, k):
    ranked, truth, recordings = world
    pairs = truth_of(*truth, width=recordings)
    reachable = [sorted(value for value in owned if value % 2 == 0) for owned in truth]
    best = best_metrics(np.diff(pairs.indptr), np.array([len(owned) for owned in reachable]), k)
    perfect = np.full((len(truth), recordings), -1)
    for row, owned in zip(perfect, reachable, strict=True):
        row[: len(owned)] = owned
    reached = metrics_of(perfect, pairs, k)
    listed = metrics_of(np.where(ranked % 2 == 0, ranked, -2), pairs, k)
    for name, values in best.items():
        assert reached[name] == pytest.approx(values, abs=1e-12)
        assert (listed[name] <= values + 1e-12).all()


def test_recall_is_by_all_truth_and_capped_recall_by_what_fits():
    found = metrics_of([[0, 1, 9]], truth_of({0, 1, 2, 3, 4}), 3)
    assert found["recall"] == 2 / 5
    assert found["capped_recall"] == 2 / 3
    assert found["precision"] == 2 / 3
    assert found["ndcg"] == pytest.approx((1 + 1 / log2(3)) / (1 + 1 / log2(3) + 1 / log2(4)))


def test_only_the_first_k_count():
    found = metrics_of([[9, 8, 0]], truth_of({0}), 2)
    assert [found[name][0] for name in LIST_METRICS if name != "novelty"] == [0.0] * 7
    assert metrics_of([[9, 8, 0]], truth_of({0}), 3)["reciprocal_rank"] == 1 / 3


def test_a_short_list_is_measured_by_k_and_an_unknown_recording_takes_its_place():
    found = metrics_of([[-2, 0, -1, -1]], truth_of({0}), 4)
    assert found["precision"] == 1 / 4
    assert found["reciprocal_rank"] == 1 / 2
    assert found["ndcg"] == pytest.approx(1 / log2(3))


def test_average_precision_is_over_all_truth_not_over_k():
    found = metrics_of([[0, 9, 1]], truth_of({0, 1, 2, 3}), 3)
    assert found["average_precision"] == pytest.approx((1 / 1 + 2 / 3) / 4)
    assert metrics_of([[0, 1]], truth_of({0, 1, 2, 3}), 2)["average_precision"] == pytest.approx(2 / 4)


def serendipity_of(ranked, expected, truth, k):
    ranked = np.asarray(ranked)
    hits = hits_of(ranked, truth, truth.width)
    return serendipity(hits, ranked, np.asarray(expected), np.diff(truth.indptr), k)


def test_serendipity_counts_hits_that_the_most_popular_list_lacks():
    found = serendipity_of([[0, 1, 2, 9]], [[1, 5, 6, 2]], truth_of({0, 1, 2}), 4)
    assert found.tolist() == [1 / 4], "0 alone: 1 and 2 are popular, 9 is no hit"
    # Of the first three, 2 is not among the three most popular.
    assert serendipity_of([[0, 1, 2, 9]], [[1, 5, 6, 2]], truth_of({0, 1, 2}), 3).tolist() == [2 / 3]


def test_the_most_popular_list_itself_is_no_surprise_and_without_truth_nothing_is():
    found = serendipity_of([[0, 1], [0, 1]], [[0, 1], [-1, -1]], truth_of({0, 1}, set()), 2)
    assert found[0] == 0.0
    assert np.isnan(found[1])


def test_where_nothing_is_expected_every_hit_is_a_surprise():
    assert serendipity_of([[0, -1]], [[-1, -1]], truth_of({0}), 2).tolist() == [1 / 2]


def test_novelty_is_the_mean_surprise_of_what_is_listed_with_or_without_truth():
    shares = [0.5, 0.25, 1.0]
    found = metrics_of([[0, 1, -1], [2, -2, 0], [-1, -1, -1]], truth_of({2}, set(), set(), width=3), 3, shares)
    np.testing.assert_allclose(found["novelty"], [(1 + 2) / 2, (0 + 1) / 2, np.nan])


def test_a_recording_that_nobody_has_heard_is_as_novel_as_one_that_one_has():
    assert log_shares(np.array([0, 1, 4, 8]), 8).tolist() == [-3.0, -3.0, -1.0, 0.0]


def test_without_truth_there_is_no_value():
    found = metrics_of([[0, 1], [0, 1]], truth_of({0}, set()), 2)
    for name in LIST_METRICS:
        assert np.isnan(found[name][1]) == (name != "novelty")


def test_truth_that_no_catalogue_has_counts_but_is_never_hit():
    truth = truth_of({0, 10, 11}, width=12)
    found = list_metrics(np.array([[0, -2, -2]]), truth, 3, np.zeros(10))
    assert found["recall"] == 1 / 3
    best = best_metrics(np.array([3]), np.array([1]), 3)
    assert best["recall"] == 1 / 3
    assert best["precision"] == 1 / 3
    assert best["hit_rate"] == best["reciprocal_rank"] == 1
    assert best["ndcg"] == pytest.approx(1 / (1 + 1 / log2(3) + 1 / log2(4)))
    assert "novelty" not in best


def test_nothing_in_nothing_out():
    found = metrics_of(np.empty((0, 5), dtype=int), truth_of(), 3)
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(LIST_METRICS, 0)
    empty = metrics_of(np.empty((2, 0), dtype=int), truth_of({1}, {2}), 3)
    assert empty["recall"].tolist() == [0, 0]
    assert np.isnan(empty["novelty"]).all()


def test_gini_is_zero_where_all_are_listed_alike_and_one_less_a_share_where_one_is_listed_alone():
    assert catalogue_metrics(np.array([[0, 1], [2, 3]]), 2, 4) == {"coverage": 1.0, "gini": 0.0}
    alone = catalogue_metrics(np.array([[3, -1], [3, -2], [3, 0]]), 1, 5)
    assert alone == {"coverage": 1 / 5, "gini": pytest.approx(1 - 1 / 5)}


def test_gini_of_uneven_lists_is_the_mean_difference_over_twice_the_mean():
    exposure = np.array([3, 1, 0, 0])
    ranked = np.array([[0, 1], [0, -1], [0, -1]])
    difference = np.abs(exposure[:, None] - exposure[None, :]).mean()
    assert catalogue_metrics(ranked, 2, 4) == {
        "coverage": 2 / 4,
        "gini": pytest.approx(difference / (2 * exposure.mean())),
    }


def test_without_lists_coverage_is_zero_and_gini_unknown():
    found = catalogue_metrics(np.full((3, 2), -1), 2, 4)
    assert found["coverage"] == 0.0
    assert np.isnan(found["gini"])
    assert np.isnan(catalogue_metrics(np.full((3, 2), -1), 2, 0)["coverage"])


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(InputError, match="k is 0; it must be 1 or more"):
        metrics_of([[0]], truth_of({0}), 0)
    with pytest.raises(InputError, match="2 lists and the truth of 1 listeners"):
        metrics_of([[0], [1]], truth_of({0}), 1)
    with pytest.raises(InputError, match="a list holds recording 10; those known are 0 to 9"):
        metrics_of([[10]], truth_of({0}), 1)
