"""Tests of where a recording stands that is not in a list: by the scores, ranks and rules that made the list."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from feature_worlds import World, random_world

from models_ml.candidates import CandidateParams, find_candidates
from models_ml.collaborative import CollaborativeParams, fit_collaborative
from models_ml.eligibility import filter_codes
from models_ml.playlists import PlaylistMaker, PlaylistParams, build_playlists
from models_ml.pools import Pool, from_batch
from models_ml.retrieval import ExactRetriever
from models_ml.standing import OTHER_RULES, ListQuestions

PARAMS = PlaylistParams(candidates=CandidateParams(candidate_count=60, minimum_kept=30))


class Made:
    """A world's lists, their candidates, and what answers about them."""

    def __init__(self, world: World) -> None:
        self.features = world.features()
        ids = self.features.user_id, self.features.recordings.recording_id
        how = CollaborativeParams(factors=6, regularization=0.1, regularization_scaling="constant", threads=1)
        self.factors = fit_collaborative(world.interactions, *ids, how, 1)
        retriever = ExactRetriever(self.factors.served, self.factors.retrievable)
        found = find_candidates(self.features, self.factors, retriever, PARAMS.candidates)
        batches = found.table.combine_chunks().to_batches()
        self.slots = build_playlists(PlaylistMaker(self.features, self.factors, PARAMS), batches).slots
        self._pool = from_batch(batches[0])[1]
        self.questions = ListQuestions(self.features, self.factors, PARAMS)

    def pool(self, listener: int) -> Pool:
        own = self._pool.where(self._pool.rows == listener)
        return replace(own, rows=np.zeros(len(own), dtype=np.int64))

    def list_of(self, listener: int):
        return self.slots.filter(np.equal(self.slots["user_index"].to_numpy(), listener))


@pytest.fixture(scope="module")
def made() -> Made:
    return Made(random_world(21, listeners=20, recordings=150, artists=30))


def test_what_is_given_stands_where_the_list_says(made):
    for listener in (0, 7):
        slots, pool = made.list_of(listener), made.pool(listener)
        standings = [
            made.questions.standing(listener, pool, row["recording_index"], slots) for row in slots.to_pylist()
        ]
        assert [standing.score for standing in standings] == slots["final_score"].to_pylist()
        assert len({standing.rank for standing in standings}) == 30
        assert {standing.count for standing in standings} == {len(pool)}


def test_what_scored_higher_than_the_weakest_is_held_back_by_a_rule_that_is_full(made):
    held_back = Counter()
    artist, album = made.features.editions.artist, made.features.editions.album
    for listener in range(20):
        slots, pool = made.list_of(listener), made.pool(listener)
        listed = slots["edition_index"].to_numpy()
        given = set(slots["recording_index"].to_pylist())
        for recording in (one for one in pool.recordings.tolist() if one not in given):
            standing = made.questions.standing(listener, pool, recording, slots)
            assert sum(standing.components.values()) == pytest.approx(standing.score, abs=1e-12)
            assert (standing.held_back is None) == (standing.score <= standing.lowest)
            edition = made.features.choice.edition[made.features.audience[listener], recording]
            if standing.held_back == "tracks_per_artist":
                assert np.count_nonzero(artist[listed] == artist[edition]) == 2
            if standing.held_back == "tracks_per_album":
                assert np.count_nonzero(album[listed] == album[edition]) == 2
            held_back[standing.held_back] += 1
    assert held_back["tracks_per_artist"] > 10
    assert held_back[None] > 100
    assert held_back[OTHER_RULES] < held_back["tracks_per_artist"]


def test_what_no_source_found_is_ranked_as_if_it_had_been_found(made):
    listener = next(place for place in range(20) if made.factors.has_vector[place])
    slots, pool = made.list_of(listener), made.pool(listener)
    everything = np.arange(made.features.recording_count)
    passes = filter_codes(made.features, np.full(len(everything), listener), everything) == 0
    missing = [one for one in everything[passes & made.factors.retrievable].tolist() if one not in pool.recordings]
    assert missing
    for recording in missing:
        standing = made.questions.standing(listener, pool, recording, slots)
        assert standing.count == len(pool) + 1
        near = made.questions.nearness(listener, recording)
        assert near.source == "collaborative"
        # Nearer lies whatever the search by vector did find.
        assert 30 < near.place <= near.among


def test_without_a_vector_a_recording_has_no_place_by_nearness(made):
    unreachable = np.flatnonzero(~made.factors.retrievable)
    listener = next(place for place in range(20) if made.factors.has_vector[place])
    assert len(unreachable)
    assert made.questions.nearness(listener, int(unreachable[0])).place is None


def test_a_listener_without_a_vector_is_told_the_place_in_the_popular_list():
    world = random_world(22, listeners=3, recordings=60, restrictions=False)
    world = world.replaced(interactions=world.interactions.slice(0, 0), exclusions=world.exclusions.slice(0, 0))
    made = Made(world)
    first = int(made.features.popular.recording[made.features.popular_list[0], 0])
    near = made.questions.nearness(0, first)
    assert (near.place, near.source) == (1, "popular")
    assert near.among == np.count_nonzero(made.features.popular.recording[made.features.popular_list[0]] >= 0)
