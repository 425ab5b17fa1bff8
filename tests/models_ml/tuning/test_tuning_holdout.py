"""Hold-outs: what is hidden, that nothing else is, and that the lists asked for are those of a Monday."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models_ml.candidates import CandidateParams, find_candidates
from models_ml.collaborative import CollaborativeParams
from models_ml.playlists import PlaylistMaker, PlaylistParams, build_playlists
from models_ml.ranking import RankingParams
from models_ml.retrieval import ExactRetriever
from models_ml.serving import ServingParams
from models_ml.tuning.holdout import HeldOutTruth, Hidden, draw_hidden, hidden_truth, temporal_truth, without
from models_ml.tuning.scoring import HeldOut, find, measure, rank, serve, train
from tests.models_ml.feature_worlds import World, random_world

CANDIDATES = CandidateParams(candidate_count=60, minimum_kept=30, block_listeners=9)
FIT = CollaborativeParams(factors=6, regularization=0.1, regularization_scaling="constant", threads=1)


@pytest.fixture(scope="module")
def world() -> World:
    return random_world(3)


def _liked(table: pa.Table) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for row in table.filter(pc.greater(table["preference"], 0)).to_pylist():
        found.setdefault(row["user_index"], set()).add(row["recording_index"])
    return found


def _pairs(table: pa.Table) -> set[tuple[int, int]]:
    return set(zip(table["user_index"].to_pylist(), table["recording_index"].to_pylist(), strict=True))


def _hidden_pairs(hidden: Hidden) -> set[tuple[int, int]]:
    return set(zip(hidden.owner.tolist(), hidden.recording.tolist(), strict=True))


def test_a_fifth_of_what_each_listener_likes_is_hidden_and_nobody_else_s(world: World) -> None:
    liked = _liked(world.interactions)
    hidden = _hidden_pairs(draw_hidden(world.features().interactions, seed=1))
    assert hidden
    for user, recordings in liked.items():
        mine = {recording for owner, recording in hidden if owner == user}
        assert mine <= recordings
        assert len(mine) == len(recordings) // 5


def test_the_same_seed_hides_the_same_and_another_others(world: World) -> None:
    interactions = world.features().interactions
    first, again, other = (_hidden_pairs(draw_hidden(interactions, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_hidden_is_gone_and_nothing_more(world: World) -> None:
    features = world.features()
    hidden = draw_hidden(features.interactions, seed=1)
    kept = without(vars(world), features, hidden)
    for name in ("interactions", "exclusions"):
        before = vars(world)[name]
        assert _pairs(kept[name]) == _pairs(before) - _hidden_pairs(hidden)
        assert kept[name].schema == before.schema
    for name in ("listeners", "editions", "blocked_artists", "market_popularity"):
        assert kept[name] is vars(world)[name]


def test_each_hidden_like_is_one_listener_fewer(world: World) -> None:
    features = world.features()
    hidden = draw_hidden(features.interactions, seed=1)
    recordings = without(vars(world), features, hidden)["recordings"]
    fewer = features.recordings.listener_count - recordings["listener_count"].to_numpy()
    counted = np.bincount(hidden.recording, minlength=features.recording_count)
    assert fewer.tolist() == np.minimum(counted, features.recordings.listener_count).tolist()


def test_an_artist_known_only_by_the_hidden_is_not_known(world: World) -> None:
    features = world.features()
    hidden = draw_hidden(features.interactions, seed=1)
    kept = without(vars(world), features, hidden)
    heard = kept["exclusions"].filter(pc.equal(kept["exclusions"]["rule_id"], "heard"))
    first = {}
    for row in world.editions.to_pylist():
        first.setdefault(row["recording_index"], row["artist_indexes"])
    expected: dict[tuple[int, int], int] = {}
    for user, recording in _pairs(heard):
        for artist in set(first[recording]):
            expected[user, artist] = expected.get((user, artist), 0) + 1
    rows = kept["known_artists"].to_pylist()
    assert {(row["user_index"], row["artist_index"]): row["prior_tracks"] for row in rows} == expected
    assert world.replaced(**kept).features().listener_count == features.listener_count


def test_truth_is_the_hidden_of_at_most_so_many_listeners(world: World) -> None:
    features = world.features()
    hidden = draw_hidden(features.interactions, seed=1)
    everyone, some = (hidden_truth(hidden, features, most) for most in (0, 7))
    assert set(everyone.listeners) == set(hidden.owner)
    assert len(some.listeners) == 7
    for truth in (everyone, some):
        rows, positions = truth.pairs.positions(np.arange(len(truth.listeners)))
        found = set(zip(truth.listeners[rows].tolist(), truth.pairs.values[positions].tolist(), strict=True))
        assert found == {pair for pair in _hidden_pairs(hidden) if pair[0] in set(truth.listeners)}


def test_truth_in_time_leaves_out_our_own_lists_and_what_was_not_kept(world: World) -> None:
    features = world.features()
    heard = {(pair[0], pair[1]) for pair in _pairs(world.exclusions)}
    new = [recording for recording in range(features.recording_count) if (0, recording) not in heard][:3]
    table = pa.table(
        {
            "user_id": [features.user_id[0].as_py()] * 3,
            "recording_id": [features.recordings.recording_id[recording].as_py() for recording in new],
            "kept": [True, False, True],
            "via_own_playlist": [False, False, True],
        }
    )
    kept, listened = (temporal_truth(table, features, 0, kept_only=only) for only in (True, False))
    assert kept.pairs.values.tolist() == new[:1]
    assert listened.pairs.values.tolist() == new[:2]


@pytest.mark.parametrize(
    "ranking", [RankingParams(), RankingParams(artist_affinity_weight=0.2, popularity_penalty=0.5)]
)
def test_the_lists_that_are_scored_are_a_monday_s_best_before_caps(world: World, ranking: RankingParams) -> None:
    features, serving = world.features(), ServingParams()
    everyone = HeldOutTruth(np.arange(features.listener_count), features.exclusions)
    held = HeldOut(features, world.interactions, everyone, seed=1)
    factors = serve(held, train(held, FIT), serving)
    lists = rank(held, find(held, factors, CANDIDATES), ranking, serving)
    retriever = ExactRetriever(factors.served, factors.retrievable)
    batches = find_candidates(features, factors, retriever, CANDIDATES).table.to_batches(max_chunksize=9)
    made = build_playlists(
        PlaylistMaker(features, factors, PlaylistParams(CANDIDATES, ranking, serving=serving)), batches
    )
    gave_way = set(made.relaxations["user_index"].to_pylist())  # searched deeper, where a list must be filled
    compared = 0
    for user in set(range(features.listener_count)) - gave_way:
        mine = made.ranked.filter(pc.equal(made.ranked["user_index"], user))
        assert lists[user].tolist() == mine["recording_index"].to_pylist()
        compared += 1
    assert compared > features.listener_count / 2


def test_what_a_listener_has_heard_is_never_in_the_lists(world: World) -> None:
    features = world.features()
    held = HeldOut(
        features, world.interactions, HeldOutTruth(np.arange(features.listener_count), features.exclusions), 1
    )
    factors = serve(held, train(held, FIT), ServingParams())
    lists = rank(held, find(held, factors, CANDIDATES), RankingParams(), ServingParams())
    ndcg, recall = measure(held, lists)
    assert np.nansum(ndcg) == np.nansum(recall) == 0.0


def test_nobody_to_score_is_no_list(world: World) -> None:
    features = world.features()
    nobody = hidden_truth(Hidden(np.empty(0, np.int64), np.empty(0, np.int64)), features, 0)
    held = HeldOut(features, world.interactions, nobody, 1)
    factors = serve(held, train(held, FIT), ServingParams())
    assert rank(held, find(held, factors, CANDIDATES), RankingParams(), ServingParams()).shape == (0, 30)
