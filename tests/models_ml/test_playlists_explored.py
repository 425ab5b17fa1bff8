"""Tests of whole playlists of which chance decides a part: who explores, what is told of each draw."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from feature_worlds import random_world
from hypothesis import given

from models_ml.candidates import CandidateParams
from models_ml.exploration.params import ExplorationParams
from models_ml.near_duplicates import with_near_duplicates
from tests.models_ml.test_playlists import PARAMS, by_listener, few_examples, made, worlds


@few_examples
@given(worlds)
def test_slots_for_arms_are_of_their_arm_and_say_by_what_chance(world):
    playlists = made(world)
    for rows in by_listener(playlists).values():
        assert sorted(row["draw_number"] for row in rows) == list(range(1, 31))
        explored = [row for row in rows if row["slot_kind"] == "explore"]
        numbers = sorted(row["draw_number"] for row in explored)
        # Where the rules leave nothing for a third draw, the list has run dry, and the rest was filled in.
        ran_dry = not all(row["propensity_valid"] for row in rows)
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) == 3 or (len(numbers) < 3 and ran_dry)
        for row in explored:
            arms = {"new_artist"} if row["recording_index"] % 5 == 0 else set()
            arms |= {"genre:genre 3"} if row["recording_index"] % 9 == 3 else set()
            assert row["arm_id"] in (arms or {"nothing_special"})
            assert 0 < row["p_arm"] <= 1
            assert row["propensity_valid"]
            assert row["segment"] == "everyone" or row["segment"].startswith("genre ")
        for row in rows:
            assert 0 < row["p_track"] <= 1 + 1e-12
            assert (row["arm_id"] is None) == (row["slot_kind"] == "exploit")
            assert row["feasible_count"] is not None or row["p_track"] == 1
            assert (row["arm_id"] is None) == (row["open_arms"] is None) == (row["open_arm_chances"] is None)
        for row in explored:
            chance = dict(zip(row["open_arms"], row["open_arm_chances"], strict=True))
            assert chance[row["arm_id"]] == pytest.approx(row["p_arm"], rel=1e-12)
            assert sum(chance.values()) == pytest.approx(1.0)
            assert min(chance.values()) > 0


def test_arms_give_artists_new_to_the_listener_wherever_they_can_and_early_in_the_list():
    world = random_world(8, listeners=60, recordings=300, artists=80)
    some, any_artist = (made(world, explored=ExplorationParams(new_to_listener=only)) for only in (True, False))
    new, any_new = (
        [row["is_new_artist"] for rows in by_listener(of).values() for row in rows if row["slot_kind"] == "explore"]
        for of in (some, any_artist)
    )
    assert all(new)
    assert not all(any_new)
    late = made(world, explored=ExplorationParams(heard_within=0))
    places, late_places = (
        [row["position"] for rows in by_listener(of).values() for row in rows if row["slot_kind"] == "explore"]
        for of in (some, late)
    )
    # Others flow better now and then, or an artist would follow their own.
    assert np.percentile(places, 95) <= 18 < np.percentile(late_places, 95)


CHANCES = ["slot_kind", "segment", "arm_id", "p_arm", "p_track", "feasible_count", "draw_number", "propensity_valid"]


def test_who_does_not_want_to_explore_gets_the_list_without_chance_and_others_another():
    world = random_world(8, listeners=40)
    place = world.listeners.column_names.index("allow_exploration")
    allowed = pa.array([number % 2 == 0 for number in range(40)])
    asked = world.replaced(listeners=world.listeners.set_column(place, "allow_exploration", allowed))
    explored, plain = by_listener(made(asked)), by_listener(made(asked, explored=None))
    assert all(explored[listener] == plain[listener] for listener in range(1, 40, 2))
    assert all(explored[listener] != plain[listener] for listener in range(0, 40, 2))
    assert {row["slot_kind"] for rows in plain.values() for row in rows} == {"exploit"}
    assert {row["p_track"] for rows in plain.values() for row in rows} == {1.0}


def test_with_no_slots_for_arms_and_no_soft_lists_nothing_but_chance_is_gone():
    # The search for arms is off with them: the lists are those of no exploration at all, to the last bit.
    world = random_world(9, listeners=40)
    none = ExplorationParams(slot_share=0.0, softmax_listener_share=0.0)
    assert made(world, explored=none).slots.combine_chunks() == made(world, explored=None).slots.combine_chunks()


def test_where_a_list_runs_dry_what_chance_drew_stays_and_the_rest_is_no_propensity():
    # Six artists: no list of thirty without the caps giving way.
    playlists = made(random_world(10, listeners=30, recordings=60, artists=6))
    assert playlists.relaxations.num_rows
    rows = [row for rows in by_listener(playlists).values() for row in rows]
    assert all(row["propensity_valid"] == (row["feasible_count"] is not None) for row in rows)
    assert sum(row["slot_kind"] == "explore" for row in rows) == 3 * len(rows) / 30


@pytest.mark.parametrize("seed", range(4))
def test_what_sounds_like_a_recording_that_chance_drew_does_not_come_back_with_a_deeper_search(seed):
    world = random_world(seed, listeners=60, recordings=240, artists=6, restrictions=False)
    sound_of = np.arange(240) // 2 * 2
    few = replace(PARAMS, candidates=CandidateParams(candidate_count=20, minimum_kept=10, block_listeners=9))
    alike = with_near_duplicates(world.features(), np.arange(240), sound_of)
    playlists = made(world, few, features=alike)
    assert playlists.relaxations.num_rows
    for rows in by_listener(playlists).values():
        sounds = [sound_of[row["recording_index"]] for row in rows]
        assert len(set(sounds)) == len(sounds)
