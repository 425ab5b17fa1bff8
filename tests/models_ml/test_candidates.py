"""Tests of candidates: sources, filters, the search again, the funnel and the sample of rejections."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from feature_worlds import World, random_world, table

from models_ml.candidates import CandidateParams, find_candidates
from models_ml.collaborative import CollaborativeParams, fit_collaborative
from models_ml.eligibility import filter_codes
from models_ml.funnel import hashes, sampled_listeners
from models_ml.pools import Pool, merged
from models_ml.ranking import ContentScores, RankingParams, score
from models_ml.retrieval import RetrievalParams, build_retriever
from models_ml.rules import FILTER_RULES, SOURCE_BITS

SMALL = CandidateParams(candidate_count=40, minimum_kept=20, block_listeners=16, fresh_count=5)


def candidates_of(world: World, params=SMALL, engine="exact"):
    """(features, factors, candidates) of a world."""
    features = world.features()
    ids = features.user_id, features.recordings.recording_id
    how = CollaborativeParams(factors=8, regularization=0.1, regularization_scaling="constant", threads=1)
    factors = fit_collaborative(world.interactions, *ids, how, 1)
    retriever = build_retriever(factors.recording_factors, factors.retrievable, RetrievalParams(engine=engine), 1_000)
    return features, factors, find_candidates(features, factors, retriever, params)


def pairs_of(table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    lengths = pc.list_value_length(table["recording_index"]).to_numpy()
    return np.repeat(table["user_index"].to_numpy(), lengths), pc.list_flatten(table["recording_index"]).to_numpy()


def count_of(funnel: pa.Table, stage: str, rule: str) -> tuple[int, int]:
    rows = [row for row in funnel.to_pylist() if (row["stage"], row["rule_id"]) == (stage, rule)]
    return (rows[0]["candidates"], rows[0]["listeners"]) if rows else (0, 0)


@pytest.mark.parametrize("engine", ["exact", "usearch"])
def test_every_candidate_passes_every_filter(engine):
    features, _, candidates = candidates_of(random_world(1, listeners=50), engine=engine)
    listeners, recordings = pairs_of(candidates.table)
    assert len(listeners) > 1000
    assert (filter_codes(features, listeners, recordings) == 0).all()


def test_there_is_one_row_a_listener_and_no_candidate_twice():
    _, _, candidates = candidates_of(random_world(2, listeners=50))
    listeners, recordings = pairs_of(candidates.table)
    assert candidates.table["user_index"].to_pylist() == list(range(50))
    assert len(set(zip(listeners, recordings, strict=True))) == len(listeners)


def test_the_block_size_changes_nothing():
    world = random_world(3, listeners=50)
    _, _, small = candidates_of(world)
    _, _, large = candidates_of(world, replace(SMALL, block_listeners=1000))
    assert small.table.combine_chunks() == large.table.combine_chunks()
    assert small.funnel == large.funnel
    assert small.rejected.combine_chunks() == large.rejected.combine_chunks()


def test_a_listener_without_a_vector_gets_what_is_popular_in_the_market():
    world = random_world(4, listeners=6, recordings=100, restrictions=False)
    features, factors, candidates = candidates_of(world.replaced(interactions=table("interactions")))
    assert not factors.has_vector.any()
    assert set(candidates.table["listener_rung"].to_pylist()) == {"popular"}
    for listener, given in enumerate(candidates.table["recording_index"].to_pylist()):
        own = features.popular.recording[features.popular_list[listener]][:40].tolist()
        heard = world.exclusions.filter(pc.field("user_index") == listener)["recording_index"].to_pylist()
        assert sorted(given) == sorted(set(own) - set(heard))


def test_candidates_are_the_best_that_pass():
    # Everything is retrieved, so the second search adds nothing, and the best that pass are all there.
    features, factors, candidates = candidates_of(
        random_world(5, listeners=30, recordings=60), replace(SMALL, candidate_count=60, fresh_count=0)
    )
    for listener, given in enumerate(candidates.table["recording_index"].to_pylist()):
        if factors.has_vector[listener]:
            every = np.flatnonzero(factors.retrievable)
            codes = filter_codes(features, np.full(len(every), listener), every)
            assert given == every[codes == 0].tolist()


def test_a_listener_left_with_few_is_searched_for_again_beyond_what_is_filtered():
    # Listener 0 has heard all but the last 50 recordings, so hardly any of the best 40 passes.
    world = random_world(6, listeners=40, recordings=200, restrictions=False)
    world = world.replaced(
        exclusions=table("exclusions", user_index=[0] * 150, recording_index=range(150), rule_id=["heard"] * 150)
    )
    _, factors, candidates = candidates_of(world, replace(SMALL, fresh_count=0, minimum_kept=30))
    possible = [place for place in range(150, 200) if factors.retrievable[place]]
    best = np.argsort(-(factors.recording_factors[possible] @ factors.listener_factors[0]), kind="stable")[:40]
    assert factors.has_vector[0]
    assert sorted(candidates.table["recording_index"][0].as_py()) == sorted(np.array(possible)[best].tolist())
    assert count_of(candidates.funnel, "search_again", "few_kept") == (len(best), 1)


def test_fresh_releases_near_the_listener_are_added_with_their_source():
    features, _, candidates = candidates_of(
        random_world(7, listeners=40), replace(SMALL, candidate_count=30, minimum_kept=0)
    )
    sources = pc.list_flatten(candidates.table["sources"]).to_numpy()
    _, recordings = pairs_of(candidates.table)
    fresh = (sources & SOURCE_BITS["fresh"]) > 0
    assert fresh.any()
    assert (features.recordings.age_days[recordings[fresh]] <= SMALL.fresh_days).all()
    assert (features.recordings.recent_listener_count[recordings[fresh]] >= SMALL.fresh_minimum_listeners).all()
    assert ((sources == SOURCE_BITS["fresh"]) & fresh).any()


def test_a_pair_found_by_two_sources_keeps_both():
    one = Pool(np.array([0, 1]), np.array([5, 5]), np.array([2.0, 3.0]), np.array([1, 1], dtype=np.uint8))
    two = Pool(np.array([1]), np.array([5]), np.array([3.0]), np.array([4], dtype=np.uint8))
    both = merged([one, two])
    assert both.rows.tolist() == [0, 1]
    assert both.sources.tolist() == [1, 5]


def test_the_funnel_adds_up():
    features, _, candidates = candidates_of(random_world(8, listeners=60), replace(SMALL, minimum_kept=0))
    taken_out = sum(count_of(candidates.funnel, "filter", rule)[0] for rule in FILTER_RULES)
    listeners, _ = pairs_of(candidates.table)
    kept, served = count_of(candidates.funnel, "keep", "passed")
    assert (kept, served) == (len(listeners), len(np.unique(listeners)))
    retrieved = [count_of(candidates.funnel, "retrieve", source)[0] for source in SOURCE_BITS]
    assert max(retrieved) <= kept + taken_out <= sum(retrieved)
    assert count_of(candidates.funnel, "filter", "heard")[0] > 0
    assert count_of(candidates.funnel, "filter", "heard")[1] <= features.listener_count


def test_all_rejections_of_a_full_sample_are_those_counted_in_the_funnel():
    _, _, candidates = candidates_of(random_world(9, listeners=60), replace(SMALL, rejected_sample_share=1.0))
    for rule in FILTER_RULES:
        rejected = candidates.rejected.filter(pc.field("rule_id") == rule)
        assert (rejected.num_rows, len(rejected["user_index"].unique())) == count_of(candidates.funnel, "filter", rule)


def test_the_counterfactual_rank_is_one_more_than_the_better_ones_that_passed():
    params = replace(SMALL, minimum_kept=0, fresh_count=0, rejected_sample_share=1.0)
    _, factors, candidates = candidates_of(random_world(10, listeners=20), params)
    given = candidates.table["recording_index"].to_pylist()
    personal = [row for row in candidates.rejected.to_pylist() if factors.has_vector[row["user_index"]]]
    assert len(personal) > 50
    for row in personal:
        scores = factors.recording_factors @ factors.listener_factors[row["user_index"]]
        better = sum(scores[other] > scores[row["recording_index"]] for other in given[row["user_index"]])
        assert row["counterfactual_rank"] == better + 1


def test_the_sample_is_a_share_of_the_listeners_but_never_too_few():
    ids = pa.array([f"listener {place}" for place in range(1000)])
    assert sampled_listeners(ids, 0.05, 20).sum() == 50
    assert sampled_listeners(ids, 0.01, 20).sum() == 20
    assert sampled_listeners(ids[:7], 0.01, 20).sum() == 7
    assert sampled_listeners(ids[:0], 0.01, 20).sum() == 0


def test_a_listener_is_sampled_for_their_id_and_not_their_place():
    ids = pa.array([f"listener {place}" for place in range(500)])
    sampled, backwards = sampled_listeners(ids, 0.1, 1), sampled_listeners(ids[::-1], 0.1, 1)
    assert sampled.tolist() == backwards[::-1].tolist()


def test_hashes_differ_and_depend_on_the_text_alone():
    texts = pa.array(["", "a", "b", "ab", "ba", "å", "a"])
    values = hashes(texts)
    assert len(set(values.tolist())) == 6
    assert values[1] == values[6]
    assert hashes(texts.slice(3, 2)).tolist() == values[3:5].tolist()


def test_the_components_of_a_score_are_what_was_declared():
    features = random_world(11, listeners=3, recordings=10, restrictions=False).features()
    recordings = replace(
        features.recordings,
        age_days=np.array([np.nan, 10.0, 0.0] + [0.0] * 7),
        popularity_percentile=np.array([0.5] * 10),
    )
    features = replace(features, recordings=recordings, popular_list=np.zeros(3, dtype=np.int64))
    first = int(features.popular.recording[0, 0])
    knows = features.known_artists.find(np.array([0]), features.artist_of_recording[[1]])
    features = replace(features, prior_tracks=np.full(len(features.prior_tracks), 3))
    params = RankingParams(2.0, 0.5, 0.3, 0.6, 0.1, 3.0, 0.4, freshness_half_life_days=10.0)
    some = np.array([0.2, 0.0, 0.2])
    content = ContentScores(some, some / 2, np.array([0.5, -0.5, 0.5]), np.array([0.0, 1.0, 1.0]))
    found = score(
        features,
        np.array([0, 0, 1]),
        np.array([0, 1, first]),
        np.array([0.7, 0.8, 0.9], dtype=np.float32),
        np.array([True, True, False]),
        params,
        np.full(10, 0.25),
        np.array([0.3, 1.0, 1.0]),
        content,
    )
    age_of_first = recordings.age_days[first]
    fresh = 0.0 if np.isnan(age_of_first) else 0.4 * 0.5 ** (age_of_first / 10)
    assert found.collaborative == pytest.approx([2.0 * (0.7 - 0.2 - 0.1), 2.0 * 0.8, 0.0])
    assert found.text == pytest.approx([2.0 * 0.2 + 0.3 * 0.5, -0.3 * 0.5, 0.0])
    assert found.audio == pytest.approx([2.0 * 0.1, 0.6, 0.0])
    assert found.popularity == pytest.approx([-0.1 * 0.5, -0.1 * 0.5, 3.0 * 1.0])
    assert found.freshness == pytest.approx([0.0, 0.3 * 0.4 / 2, fresh])
    by_artist = 0.5 * np.log(1 + 3) * 0.25 if knows[0] >= 0 else 0.0
    assert found.artist_affinity[1] == pytest.approx(by_artist)
    assert found.artist_affinity[2] == 0.0, "without a vector the popular list speaks alone"
    content_first = (found.collaborative + found.artist_affinity) + found.text + found.audio
    assert found.final.tolist() == ((content_first + found.popularity) + found.freshness).tolist()
