"""Tests of the report: protocols, ceilings, who counts, and a planted model that has to win."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from models_ml.errors import InputError
from models_ml.evaluation.report import EVALUATION_SCHEMA, EvaluationParams, evaluate
from models_ml.features import WeekFeatures
from tests.models_ml.evaluation.evaluation_worlds import block_world, lists_table, truth_table, user_id, world_of

WEEK = dt.date(2024, 3, 4)
PARAMS = EvaluationParams(short_cutoff=2, long_cutoff=5, bootstrap_resamples=100, fewest_listeners=1)
# Three listeners, eight recordings; 0 and 1 have heard some, 2 nothing.
HEARD = [[0, 1], [1, 2], []]


def small_week(**changes) -> WeekFeatures:
    return world_of(HEARD, 8, **changes).features()


def evaluated(features, lists, truth, params=PARAMS, seed=1):
    tables = {model: lists_table(given) for model, given in lists.items()}
    return evaluate(features, tables, truth_table(truth), WEEK, params, seed)


def row_of(table: pa.Table, protocol="kept", model="published", segment="all", metric="recall", k=5):
    key = {"protocol_id": protocol, "model": model, "segment": segment, "metric": metric, "k": k}
    rows = [row for row in table.to_pylist() if all(row[name] == value for name, value in key.items())]
    assert len(rows) <= 1
    return rows[0] if rows else None


@pytest.fixture(scope="module")
def blocks() -> pa.Table:
    """A planted model that knows each block, one that lists at random, and truth from the block."""
    world = block_world(2)
    random = np.random.default_rng(0)
    count, recordings = len(world.block_of), world.features.recording_count
    planted = {user: random.permutation(world.unheard[user])[:30].tolist() for user in range(count)}
    chance = {user: random.permutation(recordings)[:30].tolist() for user in range(count)}
    truth = [
        (user, int(recording), place < 4, place >= 6)
        for user in range(count)
        for place, recording in enumerate(random.permutation(world.unheard[user])[:8])
    ]
    params = EvaluationParams(bootstrap_resamples=200, new_below=5, heavy_from=15)
    return evaluated(world.features, {"published": planted, "ranked": chance}, truth, params)


def test_the_planted_model_beats_chance_beyond_both_intervals(blocks):
    for metric in ("recall", "ndcg", "hit_rate", "precision"):
        for k in (10, 30):
            planted = row_of(blocks, metric=metric, k=k)
            chance = row_of(blocks, model="ranked", metric=metric, k=k)
            assert planted["ci_low"] > chance["ci_high"]
            assert planted["ci_low"] <= planted["value"] <= planted["ci_high"] <= planted["ceiling"] + 1e-9
    # All 25 of a listener's block are listed, so that nothing is missed.
    assert row_of(blocks, k=30)["value"] == 1.0
    # Ten of the 25 in random order.
    assert row_of(blocks, k=10)["value"] == pytest.approx(10 / 25, abs=0.1)


def test_baselines_are_scored_beside_our_models(blocks):
    models = {"published", "ranked", "most_popular", "recently_popular", "item_knn", "ease"}
    assert set(blocks["model"].to_pylist()) == models
    assert row_of(blocks, model="item_knn", k=30)["value"] == 1.0
    assert {row_of(blocks, model=model, k=30)["listeners"] for model in models} == {120}


def test_every_row_is_there_once_sorted_and_typed(blocks):
    assert blocks.schema == EVALUATION_SCHEMA
    names = ["protocol_id", "model", "segment", "metric", "k"]
    keys = [tuple(row.values()) for row in blocks.select(names).to_pylist()]
    assert keys == sorted(set(keys))
    assert set(blocks["as_of_week"].to_pylist()) == {WEEK}
    assert set(blocks["truth_window_days"].to_pylist()) == {28}
    # All listeners are heavy; 8 metrics that need truth and 3 that don't for each segment of listeners (nothing is
    # known of genres, nor vectors), 3 for popular and niche, coverage and Gini; 2 cutoffs, 6 models.
    kept = [key for key in keys if key[0] == "kept"]
    segments = {key[2] for key in kept}
    assert segments == {"all", "heavy", "niche_taste", "mainstream_taste", "popular", "niche"}
    assert len(kept) == 6 * 2 * (4 * (8 + 3) + 3 + 3 + 2)


def test_the_same_input_gives_the_same_table():
    world = block_world(3, blocks=2, listeners=10)
    lists = {"published": {user: world.unheard[user][:7].tolist() for user in range(20)}}
    truth = [(user, int(world.unheard[user][3]), True, False) for user in range(20)]
    assert evaluated(world.features, lists, truth) == evaluated(world.features, lists, truth)


def test_truth_reached_through_our_own_playlists_stands_apart():
    truth = [(0, 3, True, False), (0, 4, False, False), (0, 5, True, True)]
    found = evaluated(small_week(), {"published": {0: [5, 3]}}, truth)
    assert row_of(found, "kept")["value"] == 1.0
    assert row_of(found, "first_listens")["value"] == 1 / 2
    assert row_of(found, "via_own_playlists")["value"] == 1.0
    assert row_of(found, "via_own_playlists", metric="ndcg")["value"] == 1.0
    assert row_of(found, "kept", metric="reciprocal_rank")["value"] == 1 / 2


def test_a_protocol_without_truth_has_no_rows():
    found = evaluated(small_week(), {"published": {0: [3]}}, [(0, 3, False, False)])
    assert set(found["protocol_id"].to_pylist()) == {"first_listens"}


def test_truth_that_the_catalogue_lacks_lowers_value_and_ceiling():
    truth = [(0, recording, True, False) for recording in (3, 4, 5, 20, 21)]
    found = evaluated(small_week(), {"published": {0: [3, 20, 4]}}, truth)
    assert row_of(found)["value"] == 2 / 5
    assert row_of(found)["ceiling"] == 3 / 5
    assert row_of(found, k=2)["value"] == 1 / 5
    assert row_of(found, k=2)["ceiling"] == 2 / 5
    assert row_of(found, metric="precision")["ceiling"] == 3 / 5
    assert row_of(found, metric="hit_rate")["ceiling"] == 1.0
    gains = 1 / np.log2(np.arange(2, 7))
    assert row_of(found, metric="ndcg")["ceiling"] == pytest.approx(gains[:3].sum() / gains.sum())
    assert row_of(found, metric="ndcg")["value"] == pytest.approx((gains[0] + gains[2]) / gains.sum())
    for metric in ("novelty", "coverage", "gini"):
        assert row_of(found, metric=metric)["ceiling"] is None


def test_a_listener_whose_truth_nobody_could_find_counts():
    truth = [(0, 3, True, False), (1, 20, True, False)]
    found = evaluated(small_week(), {"published": {0: [3], 1: [4]}}, truth)
    assert (row_of(found)["value"], row_of(found)["ceiling"], row_of(found)["listeners"]) == (1 / 2, 1 / 2, 2)


def test_what_was_heard_before_is_no_truth():
    truth = [(0, 0, True, False), (0, 3, True, False), (1, 2, True, False)]
    found = evaluated(small_week(), {"published": {0: [3], 1: [4]}}, truth)
    assert (row_of(found)["value"], row_of(found)["listeners"]) == (1.0, 1)


def test_a_listener_without_any_list_of_ours_is_not_scored():
    truth = [(0, 3, True, False), (1, 4, True, False)]
    found = evaluated(small_week(), {"published": {0: [3]}}, truth)
    assert set(found["listeners"].to_pylist()) == {1}
    assert row_of(found)["value"] == 1.0


def test_a_listener_left_out_by_one_model_counts_for_it_with_an_empty_list():
    truth = [(0, 3, True, False), (1, 4, True, False)]
    found = evaluated(small_week(), {"published": {0: [3]}, "ranked": {0: [3], 1: [4]}}, truth)
    assert (row_of(found)["value"], row_of(found)["listeners"]) == (1 / 2, 2)
    assert row_of(found, model="ranked")["value"] == 1.0
    assert (row_of(found, metric="novelty")["listeners"], row_of(found, metric="hit_rate")["listeners"]) == (1, 2)


def test_a_model_without_lists_scores_nothing():
    found = evaluated(small_week(), {"published": {}, "ranked": {0: [3]}}, [(0, 3, True, False)])
    assert row_of(found)["value"] == 0.0
    assert row_of(found, metric="coverage")["value"] == 0.0
    assert row_of(found, metric="gini") is None
    assert row_of(found, metric="novelty") is None


def test_listeners_the_week_does_not_know_are_not_scored():
    truth = [(0, 3, True, False), (7, 4, True, False)]
    found = evaluated(small_week(), {"published": {0: [3], 7: [4]}}, truth)
    assert row_of(found)["listeners"] == 1


@pytest.mark.parametrize(("lists", "truth"), [({}, []), ({"published": {}}, []), ({"published": {0: [3]}}, [])])
def test_nothing_to_score_gives_no_rows(lists, truth):
    found = evaluated(small_week(), lists, truth)
    assert (found.num_rows, found.schema) == (0, EVALUATION_SCHEMA)


def test_lists_are_read_by_position_whatever_the_order_of_the_rows():
    table = lists_table({0: [3, 4, 5]}).take(pa.array([2, 0, 1]))
    found = evaluate(small_week(), {"published": table}, truth_table([(0, 4, True, False)]), WEEK, PARAMS, 1)
    assert row_of(found, metric="reciprocal_rank")["value"] == 1 / 2


def test_segments_of_listeners_are_by_what_they_had_heard():
    truth = [(0, 3, True, False), (1, 4, True, False), (2, 5, True, False)]
    params = replace(PARAMS, new_below=1, heavy_from=2)
    found = evaluated(small_week(), {"published": {0: [3], 1: [3], 2: [3]}}, truth, params)
    assert (row_of(found, segment="new")["value"], row_of(found, segment="new")["listeners"]) == (0.0, 1)
    assert (row_of(found, segment="heavy")["value"], row_of(found, segment="heavy")["listeners"]) == (1 / 2, 2)
    assert row_of(found, segment="light") is None


def test_segments_of_tracks_count_only_hits_among_them():
    # Recordings 0 to 7 were heard by 1, 2, 1 and nobody else: 1 is the popular one.
    truth = [(2, 1, True, False), (2, 5, True, False), (2, 6, True, False), (2, 20, True, False)]
    found = evaluated(small_week(), {"published": {2: [4, 5]}}, truth)
    popular, niche = (row_of(found, segment=segment) for segment in ("popular", "niche"))
    assert (popular["value"], popular["ceiling"]) == (0.0, 1.0)
    assert (niche["value"], niche["ceiling"]) == (1 / 2, 1.0)
    assert row_of(found, segment="niche", metric="precision") is None
    assert row_of(found)["value"] == 1 / 4


def test_novelty_is_by_those_who_had_heard_it():
    found = evaluated(small_week(), {"published": {2: [1, 0]}}, [(2, 5, True, False)])
    # Two of three have heard 1, one of three has heard 0.
    assert row_of(found, metric="novelty")["value"] == pytest.approx((np.log2(3 / 2) + np.log2(3)) / 2)


def test_a_sample_is_the_same_every_time_and_no_larger_than_asked():
    world = block_world(3, blocks=2, listeners=20)
    lists = {"published": {user: world.unheard[user][:5].tolist() for user in range(40)}}
    truth = [(user, int(world.unheard[user][user % 9]), True, False) for user in range(40)]
    sampled = EvaluationParams(short_cutoff=2, long_cutoff=5, bootstrap_resamples=20, sample_listeners=7)
    found = evaluated(world.features, lists, truth, sampled)
    assert row_of(found)["listeners"] == 7
    assert found == evaluated(world.features, lists, truth[::-1], sampled)
    everyone = EvaluationParams(short_cutoff=2, long_cutoff=5, bootstrap_resamples=20, sample_listeners=0)
    assert row_of(evaluated(world.features, lists, truth, everyone))["listeners"] == 40


def test_progress_names_what_is_scored():
    lines: list[str] = []
    tables = {"published": lists_table({0: [3]})}
    evaluate(small_week(), tables, truth_table([(0, 3, True, False)]), WEEK, PARAMS, 1, lines.append)
    assert any(line.startswith("evaluation: kept, published, most_popular") for line in lines)


def test_tables_that_cannot_be_used_are_refused():
    week, truth = small_week(), [(0, 3, True, False)]
    with pytest.raises(InputError, match="a model is called 'ease', as a baseline is"):
        evaluated(week, {"ease": {0: [3]}}, truth)
    with pytest.raises(InputError, match=f"truth: row 1 gives user_id '{user_id(0)}' a recording that another row"):
        evaluated(week, {"published": {0: [3]}}, truth * 2)
    with pytest.raises(InputError, match=f"published: row 1 gives user_id '{user_id(0)}' a recording that another"):
        evaluated(week, {"published": {0: [3, 3]}}, truth)
    twice = pa.concat_tables([lists_table({0: [3]}), lists_table({0: [4]})])
    with pytest.raises(InputError, match=f"published: row 1 gives user_id '{user_id(0)}' a position that another"):
        evaluate(week, {"published": twice}, truth_table(truth), WEEK, PARAMS, 1)
    nulled = truth_table(truth).set_column(1, "recording_id", pa.array([None], pa.string()))
    with pytest.raises(InputError, match="truth: column recording_id is null in row 0"):
        evaluate(week, {"published": lists_table({0: [3]})}, nulled, WEEK, PARAMS, 1)


def test_settings_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="long_cutoff is 10; it must lie above short_cutoff, 30"):
        EvaluationParams(short_cutoff=30, long_cutoff=10)
    with pytest.raises(ValueError, match="heavy_from is 3"):
        EvaluationParams(heavy_from=3)
