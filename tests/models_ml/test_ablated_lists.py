"""Tests of lists by one family of the score alone and by all but one: small pools, and whole worlds."""

from dataclasses import fields, replace

import numpy as np
import pyarrow.compute as pc

from models_ml.ablated import ABLATED_SCHEMA, ablated_table, spoken_for
from models_ml.candidates import find_candidates
from models_ml.playlists import PlaylistMaker, build_playlists
from models_ml.pools import Pool
from models_ml.ranker.features import Featured
from models_ml.ranking import Components, RankingParams
from models_ml.retrieval import ExactRetriever
from models_ml.slates import RankedPool
from tests.models_ml.feature_worlds import random_world
from tests.models_ml.test_playlists import PARAMS, in_blocks, trained_on


def pool_of(rows, recordings, personal=None, **parts) -> RankedPool:
    """Candidates with these components, the others zero."""
    count = len(rows)
    scores, sources = np.zeros(count, dtype=np.float32), np.ones(count, dtype=np.uint8)
    pool = Pool(np.array(rows), np.array(recordings, dtype=np.int32), scores, sources)
    components = {
        part.name: np.array(parts.get(part.name, np.zeros(count)), dtype=float) for part in fields(Components)
    }
    own = np.ones(count, dtype=bool) if personal is None else np.array(personal)
    return RankedPool(pool, np.zeros(count), Components(**components), own, own, Featured.nothing())


def lists_of(table) -> dict[tuple[int, str], list[int]]:
    found: dict[tuple[int, str], list[int]] = {}
    for row in table.to_pylist():
        listed = found.setdefault((row["user_index"], row["model"]), [])
        listed.append(row["recording_index"])
        assert row["position"] == len(listed)
    return found


def test_a_family_alone_lists_what_it_speaks_of_and_without_it_the_rest_decides():
    ranked = pool_of([0, 0, 0], [3, 5, 8], collaborative=[3.0, 2.0, 1.0], text=[0.0, -0.5, 4.0])
    found = lists_of(spoken_for(ablated_table(np.array([7]), ranked, np.array([0]), np.arange(9) == 7)))
    assert found == {
        (7, "alone_collaborative"): [3, 5, 8],
        (7, "alone_text"): [8, 5],
        (7, "without_collaborative"): [8, 3, 5],
        (7, "without_text"): [3, 5, 8],
    }


def test_those_popular_in_their_stead_come_after_personal_ones_in_every_list():
    ranked = pool_of([0, 0], [1, 2], personal=[False, True], popularity=[1.0, -0.1])
    found = lists_of(spoken_for(ablated_table(np.array([0]), ranked, np.array([0]), np.array([True]))))
    assert found == {(0, "alone_popularity"): [2, 1], (0, "without_popularity"): [2, 1]}


def test_only_sampled_listeners_of_the_rows_asked_for_are_kept():
    ranked = pool_of([0, 1, 1, 2], [1, 1, 2, 4], collaborative=[1.0, 1.0, 2.0, 1.0])
    sampled = np.array([True, True, False])
    table = ablated_table(np.array([0, 1, 2]), ranked, np.array([1, 2]), sampled)
    assert table.schema == ABLATED_SCHEMA
    found = lists_of(spoken_for(table))
    assert found == {(1, "alone_collaborative"): [2, 1], (1, "without_collaborative"): [1, 2]}, "nothing else decides"
    nobody = ablated_table(np.array([0, 1, 2]), ranked, np.array([2]), sampled)
    assert (nobody.num_rows, nobody.schema) == (0, ABLATED_SCHEMA)


def test_ties_go_to_the_lower_recording():
    ranked = pool_of([0, 0, 0], [2, 4, 6], text=[1.0, 2.0, 1.0], audio=[1.0, 1.0, 1.0])
    found = lists_of(ablated_table(np.array([0]), ranked, np.array([0]), np.array([True])))
    assert found[0, "without_text"] == [2, 4, 6]
    assert found[0, "alone_text"] == [4, 2, 6]


def test_no_list_is_longer_than_thirty():
    ranked = pool_of([0] * 50, range(50), collaborative=np.arange(50, 0, -1))
    found = lists_of(spoken_for(ablated_table(np.array([0]), ranked, np.array([0]), np.array([True]))))
    assert found[0, "alone_collaborative"] == list(range(30))


def test_the_lists_of_a_week_are_kept_for_its_sample_in_the_order_of_the_listeners():
    world = random_world(4, listeners=25, recordings=150)
    features, trained = world.features(), trained_on(world)
    retriever = ExactRetriever(trained.recording_factors, trained.retrievable)
    candidates = find_candidates(features, trained, retriever, PARAMS.candidates).table
    params = replace(PARAMS, ranking=RankingParams(popularity_penalty=0.05))
    sampled = np.arange(25) % 3 == 0
    maker = PlaylistMaker(features, trained, params, ablated=sampled)
    made = build_playlists(maker, in_blocks(candidates, params))
    table = made.ablated
    assert table.equals(table.sort_by([(name, "ascending") for name in ("user_index", "model", "position")]))
    families = {name.split("_", 1)[1] for name in pc.unique(table["model"]).to_pylist()}
    assert families == {"collaborative", "popularity", "freshness", "boost"}, "what the linear score is made of here"
    lists, ranked = lists_of(table), {}
    for row in made.ranked.to_pylist():
        ranked.setdefault(row["user_index"], []).append(row["recording_index"])
    for user in np.flatnonzero(sampled).tolist():
        for family in families:
            assert len(lists[user, f"without_{family}"]) == len(ranked[user]), "all that passed, ranked otherwise"
    assert {user for user, _ in lists} == set(np.flatnonzero(sampled).tolist())
    plain = build_playlists(PlaylistMaker(features, trained, params), in_blocks(candidates, params))
    assert (plain.ablated.num_rows, plain.slots.equals(made.slots)) == (0, True), "the lists are what they were"
