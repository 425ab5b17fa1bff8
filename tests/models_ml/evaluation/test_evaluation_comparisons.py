"""Tests of models side by side: which pairs, whose listeners, and that lists of a sample are held against the same."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from models_ml.errors import InputError
from models_ml.evaluation.comparisons import COMPARED, COMPARISONS_SCHEMA
from models_ml.evaluation.report import Beside, EvaluationParams, EvaluationTables, evaluation_tables
from models_ml.rules import COLLABORATIVE_RUNG, FOLD_IN_RUNG
from tests.models_ml.evaluation.evaluation_worlds import block_world, lists_table, truth_table, world_of

WEEK = dt.date(2024, 3, 4)
PARAMS = EvaluationParams(short_cutoff=2, long_cutoff=5, bootstrap_resamples=100, fewest_listeners=1)
LISTENERS = 40


def scored(lists, truth, ablated=None, week=None, params=PARAMS, **beside) -> EvaluationTables:
    tables = {model: lists_table(given) for model, given in lists.items()}
    of_sample = {model: lists_table(given) for model, given in (ablated or {}).items()}
    features = week or world_of([[0, 1], [1, 2], []], 8).features()
    return evaluation_tables(features, tables, truth_table(truth), WEEK, params, 1, beside=Beside(of_sample, **beside))


def rows_of(table: pa.Table, **wanted) -> list[dict]:
    wanted = {"protocol_id": "kept"} | wanted
    return [row for row in table.to_pylist() if all(row[name] == value for name, value in wanted.items())]


@pytest.fixture(scope="module")
def blocks() -> EvaluationTables:
    """Ranked lists of the listener's own block, published ones half of it, families for every second listener."""
    world = block_world(3, blocks=2, listeners=LISTENERS // 2)
    unheard = {user: world.unheard[user] for user in range(LISTENERS)}
    own = {user: of[:5].tolist() for user, of in unheard.items()}
    half = {user: of[:2].tolist() for user, of in unheard.items()}
    sample = range(0, LISTENERS, 2)
    families = {
        "alone_text": {user: half[user] for user in sample},
        "without_text": {user: own[user] for user in sample},
    }
    truth = [(user, int(recording), True, False) for user, of in unheard.items() for recording in of[:3]]
    return scored({"ranked": own, "published": half}, truth, families, world.features)


def test_every_other_model_is_held_against_both_references(blocks):
    pairs = {(row["model"], row["other_model"]) for row in blocks.comparisons.to_pylist()}
    models = {"most_popular", "recently_popular", "item_knn", "ease", "alone_text", "without_text"}
    expected = {(model, other) for model in models for other in ("ranked", "published")}
    assert pairs == expected | {("ranked", "published"), ("published", "ranked")}
    assert blocks.comparisons.schema == COMPARISONS_SCHEMA
    assert set(blocks.comparisons["metric"].to_pylist()) == set(COMPARED) - {"intra_list_diversity", "genre_kl"}
    assert set(blocks.comparisons["k"].to_pylist()) == {PARAMS.long_cutoff}


def test_the_difference_is_that_of_the_two_values_where_the_listeners_are_the_same(blocks):
    of = {
        model: rows_of(blocks.metrics, model=model, segment="all", metric="recall", k=5)[0]["value"]
        for model in ("ranked", "published")
    }
    assert of == {"ranked": pytest.approx(1.0), "published": pytest.approx(2 / 3)}
    (row,) = rows_of(blocks.comparisons, model="published", other_model="ranked", segment="all", metric="recall")
    assert row["difference"] == pytest.approx(of["published"] - of["ranked"])
    assert row["ratio"] == pytest.approx(2 / 3)
    assert row["ci_high"] < 0, "everyone gets less"
    assert row["listeners"] == LISTENERS


def test_lists_of_a_sample_are_scored_on_the_sample_and_held_against_the_whole_on_the_sample(blocks):
    for table in (blocks.metrics, blocks.comparisons):
        rows = rows_of(table, model="without_text", segment="all", metric="recall")
        assert {row["listeners"] for row in rows} == {LISTENERS // 2}
    (row,) = rows_of(blocks.comparisons, model="without_text", other_model="ranked", segment="all", metric="ndcg")
    assert (row["difference"], row["ci_low"], row["ci_high"]) == (0.0, 0.0, 0.0), "the same lists"
    (alone,) = rows_of(blocks.comparisons, model="alone_text", other_model="published", segment="all", metric="ndcg")
    assert alone["difference"] == 0.0


def test_whoever_the_sample_has_no_list_for_by_a_family_got_nothing_from_it():
    truth = [(0, 3, True, False), (1, 4, True, False)]
    found = scored({"ranked": {0: [3], 1: [4]}}, truth, {"alone_text": {0: [3]}, "without_text": {0: [5], 1: [5]}})
    (row,) = rows_of(found.metrics, model="alone_text", segment="all", metric="recall", k=5)
    assert (row["value"], row["listeners"]) == (1 / 2, 2)


def test_every_key_stands_once_and_sorted(blocks):
    names = ["protocol_id", "model", "other_model", "segment", "metric", "k"]
    keys = [tuple(row.values()) for row in blocks.comparisons.select(names).to_pylist()]
    assert keys == sorted(set(keys))
    assert set(blocks.comparisons["as_of_week"].to_pylist()) == {WEEK}


def test_the_same_lists_give_the_same_comparisons():
    given = {"ranked": {0: [3]}, "published": {0: [4], 1: [3]}}, [(0, 3, True, False), (1, 4, True, False)]
    assert scored(*given) == scored(*given)


def test_what_there_is_no_value_of_is_null():
    found = scored({"ranked": {0: [3]}, "published": {0: [4]}}, [(0, 5, True, False)])
    (row,) = rows_of(found.comparisons, model="published", other_model="ranked", segment="all", metric="recall")
    assert (row["difference"], row["ratio"]) == (0.0, None)
    assert rows_of(found.comparisons, metric="genre_kl") == []


def test_without_references_nothing_is_compared():
    found = scored({"latent": {0: [3]}}, [(0, 3, True, False)])
    assert (found.comparisons.num_rows, found.comparisons.schema) == (0, COMPARISONS_SCHEMA)


def test_segments_by_rung_are_those_of_the_lists_and_small_ones_are_left_out():
    truth = [(user, 7, True, False) for user in range(3)]
    lists = {"ranked": {user: [7] for user in range(3)}}
    rungs = np.array([COLLABORATIVE_RUNG, COLLABORATIVE_RUNG, FOLD_IN_RUNG])
    everyone = scored(lists, truth, rungs=rungs)
    assert {"rung_collaborative", "rung_fold_in"} <= set(everyone.metrics["segment"].to_pylist())
    some = scored(lists, truth, rungs=rungs, params=replace(PARAMS, fewest_listeners=2))
    assert "rung_collaborative" in some.metrics["segment"].to_pylist()
    assert "rung_fold_in" not in some.metrics["segment"].to_pylist()
    none = scored(lists, truth, rungs=rungs, params=replace(PARAMS, fewest_listeners=4))
    assert set(none.metrics["segment"].to_pylist()) == {"all", "niche"}, "the truth is niche"


def test_vectors_give_diversity_a_value():
    found = scored({"ranked": {0: [3, 4]}}, [(0, 3, True, False)], vectors=np.eye(8, dtype=np.float32))
    (row,) = rows_of(found.metrics, model="ranked", metric="intra_list_diversity", k=5, segment="all")
    assert row["value"] == pytest.approx(1.0)


def test_names_of_families_are_for_lists_of_a_sample_and_only_they():
    truth = [(0, 3, True, False)]
    with pytest.raises(InputError, match="a model is called 'alone_text'"):
        scored({"alone_text": {0: [3]}}, truth)
    with pytest.raises(InputError, match="a model is called 'text'"):
        scored({"ranked": {0: [3]}}, truth, {"text": {0: [3]}})
