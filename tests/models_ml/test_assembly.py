"""Tests of the soft rules and of the order heard."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.arrangement import arrange
from models_ml.assembly import PLAYLIST_LENGTH, AssemblyParams, Slate, draw, new_artists_needed
from models_ml.giving_way import draw_giving_way, ladder

PARAMS = AssemblyParams()


def slate(artists, albums=None, is_new=None) -> Slate:
    """One listener's candidates, best first."""
    count = len(artists)
    return Slate(
        artist=np.array([artists], dtype=np.int32).reshape(1, count),
        album=np.array([albums if albums is not None else [-1] * count], dtype=np.int32).reshape(1, count),
        is_new=np.array([is_new if is_new is not None else [True] * count], dtype=bool).reshape(1, count),
        valid=np.ones((1, count), dtype=bool),
    )


def relaxed(relaxations) -> list[tuple]:
    rows = zip(relaxations.rule_id, relaxations.step, relaxations.limit_from, relaxations.limit_to, strict=True)
    return [tuple(row) for row in rows]


def test_without_a_rule_in_the_way_the_best_thirty_are_taken_in_order():
    assert draw(slate(range(40)), PARAMS).picks[0].tolist() == list(range(30))


def test_an_artist_gets_two_tracks_and_then_the_next_best_follow():
    picks = draw(slate([7] * 5 + list(range(100, 140))), PARAMS).picks[0].tolist()
    assert picks == [0, 1, *range(5, 33)]


def test_an_album_gets_two_tracks_whoever_plays_on_it():
    picks = draw(slate(range(40), albums=[9] * 5 + list(range(100, 135))), PARAMS).picks[0].tolist()
    assert picks == [0, 1, *range(5, 33)]


def test_tracks_without_an_album_do_not_count_against_each_other():
    assert draw(slate(range(40), albums=[-1] * 40), PARAMS).picks[0].tolist() == list(range(30))


def test_known_artists_get_fifteen_tracks_and_no_more():
    picks = draw(slate(range(60), is_new=[False] * 30 + [True] * 30), PARAMS).picks[0].tolist()
    assert picks == [*range(15), *range(30, 45)]


@pytest.mark.parametrize(("share", "needed"), [(0.0, 0), (0.1, 3), (0.35, 11), (0.5, 15), (1.0, 30)])
def test_a_share_is_rounded_up_to_whole_tracks(share, needed):
    # 0.1 of 30 is 3.0000000000000004 in floating point, and 3 all the same.
    assert new_artists_needed(share) == needed


def test_a_share_of_all_takes_no_known_artist():
    picks = draw(slate(range(60), is_new=[False, True] * 30), AssemblyParams(new_artist_share=1.0)).picks[0]
    assert picks.tolist() == list(range(1, 60, 2))


def test_a_list_that_can_be_filled_relaxes_nothing():
    draws, relaxations = draw_giving_way(slate(range(40)), PARAMS)
    picks = draws.picks
    assert (picks >= 0).all()
    assert relaxed(relaxations) == []


def test_new_artists_give_way_first_and_only_as_far_as_needed():
    # 22 known and 8 new: a half asks for 15 new, a quarter for 8.
    draws, relaxations = draw_giving_way(slate(range(30), is_new=[False] * 22 + [True] * 8), PARAMS)
    picks = draws.picks
    assert sorted(picks[0]) == list(range(30))
    assert relaxed(relaxations) == [("new_artist_share", 1, 0.5, 0.25)]


def test_two_steps_are_two_rows():
    _, relaxations = draw_giving_way(slate(range(30), is_new=[False] * 30), PARAMS)
    assert relaxed(relaxations) == [("new_artist_share", 1, 0.5, 0.25), ("new_artist_share", 2, 0.25, 0.0)]


def test_only_the_rule_that_was_in_the_way_is_recorded():
    # Ten artists of three tracks each, all new to the listener: only tracks_per_artist is in the way.
    draws, relaxations = draw_giving_way(slate([place // 3 for place in range(30)]), PARAMS)
    picks = draws.picks
    assert sorted(picks[0]) == list(range(30))
    assert relaxed(relaxations) == [("tracks_per_artist", 1, 2.0, 3.0)]


def test_one_artist_with_one_album_still_fills_a_list():
    draws, relaxations = draw_giving_way(slate([1] * 30, albums=[1] * 30), PARAMS)
    picks = draws.picks
    assert sorted(picks[0]) == list(range(30))
    limits = [2.0, 3.0, 5.0, 8.0, 12.0, 18.0, 27.0, 30.0]
    steps = list(pairwise(limits))
    assert [row[2:] for row in relaxed(relaxations)] == steps * 2


def test_fewer_than_thirty_stay_unfilled_and_relax_nothing():
    draws, relaxations = draw_giving_way(slate([1] * 29), PARAMS)
    picks = draws.picks
    assert picks[0, -1] == -1
    assert relaxed(relaxations) == []


def test_no_candidates_at_all_is_an_empty_list():
    draws, relaxations = draw_giving_way(slate([]), PARAMS)
    picks = draws.picks
    assert picks.tolist() == [[-1] * PLAYLIST_LENGTH]
    assert relaxed(relaxations) == []


def test_the_ladder_ends_where_any_thirty_tracks_fit():
    last = {step.rule_id: step.limit_to for step in ladder(PARAMS)}
    assert last == {"new_artist_share": 0.0, "tracks_per_album": 30.0, "tracks_per_artist": 30.0}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(30, 70))
def test_limits_hold_exactly_at_what_is_recorded(seed, artists, count):
    random = np.random.default_rng(seed)
    one = slate(random.integers(0, artists, count), random.integers(-1, artists, count), random.random(count) < 0.5)
    draws, relaxations = draw_giving_way(one, PARAMS)
    picks = draws.picks
    chosen = picks[0]
    assert len(set(chosen)) == PLAYLIST_LENGTH
    limits = {"new_artist_share": 0.5, "tracks_per_album": 2.0, "tracks_per_artist": 2.0}
    limits |= {rule: limit_to for rule, _, _, limit_to in relaxed(relaxations)}
    albums = [album for album in one.album[0, chosen] if album >= 0]
    assert max(Counter(one.artist[0, chosen]).values()) <= limits["tracks_per_artist"]
    assert max(Counter(albums).values(), default=0) <= limits["tracks_per_album"]
    assert one.is_new[0, chosen].sum() >= limits["new_artist_share"] * PLAYLIST_LENGTH


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_a_listener_gets_the_same_list_alone_and_among_others(seed):
    random = np.random.default_rng(seed)
    shape = (5, 45)
    valid = np.arange(45) < random.integers(25, 46, 5)[:, None]
    many = Slate(random.integers(0, 12, shape), random.integers(-1, 15, shape), random.random(shape) < 0.4, valid)
    together, _ = draw_giving_way(many, PARAMS)
    alone = [draw_giving_way(many.rows(np.array([row])), PARAMS)[0].picks[0] for row in range(5)]
    assert together.picks.tolist() == np.array(alone).tolist()


def repeats(artists) -> int:
    return sum(left == right for left, right in pairwise(artists))


def test_tracks_stay_best_first_where_neighbours_differ_anyway():
    assert arrange(np.array([[1, 2, 3, 1, 2]])).tolist() == [[0, 1, 2, 3, 4]]


def test_a_second_track_of_an_artist_waits_for_one_other():
    assert arrange(np.array([[1, 1, 2, 3]])).tolist() == [[0, 2, 1, 3]]


def test_an_artist_with_half_the_list_plays_every_second_slot():
    assert arrange(np.array([[5, 6, 7, 1, 1, 1]]))[0].tolist() == [0, 3, 1, 4, 2, 5]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_neighbours_repeat_only_where_every_order_has_it(artists):
    order = arrange(np.array([artists]))[0]
    assert sorted(order) == list(range(len(artists)))
    most = max(Counter(artists).values())
    # Each other track parts two of the most frequent artist; what is left over must stand side by side.
    assert repeats([artists[place] for place in order]) == max(0, most - (len(artists) - most) - 1)
