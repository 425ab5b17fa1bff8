"""Tests of takedowns: what is taken is gone, what stays is untouched, and refills keep what lists keep."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from feature_worlds import World, random_world, table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models_ml.assembly import AssemblyParams
from models_ml.candidates import CandidateParams, find_candidates
from models_ml.collaborative import CollaborativeParams, fit_collaborative
from models_ml.evidence import Content
from models_ml.genres import read_genres
from models_ml.near_duplicates import with_near_duplicates
from models_ml.playlists import PlaylistMaker, PlaylistParams, PlaylistTables, build_playlists
from models_ml.pools import from_batch
from models_ml.retrieval import ExactRetriever
from models_ml.takedown import ListMender, Mended, concerned, with_mended, without
from tests.models_ml.test_playlists import calibrated

PARAMS = PlaylistParams(candidates=CandidateParams(candidate_count=60, minimum_kept=30, block_listeners=999))
few_examples = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
worlds = st.builds(
    random_world,
    seed=st.integers(0, 10**6),
    listeners=st.integers(1, 20),
    recordings=st.sampled_from([40, 60, 150]),
    artists=st.sampled_from([6, 20, 60]),
    per_listener=st.sampled_from([0, 1, 8, 20]),
)


def made_and_mended(world: World, take, params=PARAMS, sound_of=None) -> tuple[PlaylistTables, Mended, np.ndarray]:
    """The lists of a world, those that a takedown concerns without it, and what was taken: take(slots) of editions.

    sound_of: (m,) None: all sound different.
    """
    features = world.features()
    if sound_of is not None:
        features = with_near_duplicates(features, np.arange(len(sound_of)), sound_of)
    ids = features.user_id, features.recordings.recording_id
    how = CollaborativeParams(factors=6, regularization=0.1, regularization_scaling="constant", threads=1)
    factors = fit_collaborative(world.interactions, *ids, how, 1)
    found = find_candidates(features, factors, ExactRetriever(factors.served, factors.retrievable), params.candidates)
    genres = read_genres(pa.array([[f"genre {place % 9}"] for place in range(len(factors.served))]), factors.served)
    calibration = calibrated(features, genres, params.assembly)
    batches = found.table.combine_chunks().to_batches()
    lists = build_playlists(PlaylistMaker(features, factors, params, calibration=calibration), batches)
    taken = np.zeros(len(features.editions), dtype=bool)
    taken[take(lists.slots)] = True
    listeners = concerned(lists.slots, taken)
    theirs = [
        table_.filter(pc.is_in(table_["user_index"], pa.array(listeners))) for table_ in (lists.slots, found.table)
    ]
    mender = ListMender(features, factors, params, taken, Content(), calibration)
    if not len(listeners):
        return lists, Mended(lists.slots.slice(0, 0), lists.relaxations.slice(0, 0), lists.mixes.slice(0, 0)), taken
    some, pool = from_batch(theirs[1].combine_chunks().to_batches()[0])
    return lists, mender.mended(theirs[0], some, pool), taken


def by_listener(slots: pa.Table) -> dict[int, list[dict]]:
    lists: dict[int, list[dict]] = {}
    for row in slots.to_pylist():
        lists.setdefault(row["user_index"], []).append(row)
    return lists


def two_of_each_list(slots: pa.Table) -> np.ndarray:
    """The editions in second and ninth position of anybody's list."""
    return slots.filter(pc.is_in(slots["position"], pa.array([2, 9], pa.int8())))["edition_index"].to_numpy()


@few_examples
@given(worlds)
def test_what_is_taken_is_gone_and_every_other_row_is_as_it_was(world):
    lists, mended, taken = made_and_mended(world, two_of_each_list)
    before, after = by_listener(lists.slots), by_listener(mended.slots)
    told = {row["user_index"]: row for row in mended.relaxations.to_pylist()}
    for listener in {user for user, rows in before.items() if any(taken[row["edition_index"]] for row in rows)}:
        kept = [row for row in before[listener] if not taken[row["edition_index"]]]
        rows = after.get(listener, [])
        assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
        assert not any(taken[row["edition_index"]] for row in rows)
        stayed = [row for row in rows if not row["is_refill"]]
        assert [{**row, "position": 0} for row in stayed] == [{**row, "position": 0} for row in kept]
        assert len({row["recording_index"] for row in rows}) == len(rows)
        if len(rows) == 30:
            assert listener not in told
            assert [row["position"] for row in stayed] == [row["position"] for row in kept]
        else:
            wanted = {"user_index": listener, "rule_id": "taken_down", "step": 1, "limit_from": 30.0}
            assert told[listener] == {**wanted, "limit_to": float(len(rows))}


@few_examples
@given(worlds)
def test_refills_pass_the_filters_and_keep_the_rules_as_far_as_the_list_did(world):
    lists, mended, _ = made_and_mended(world, two_of_each_list)
    excluded = {(row["user_index"], row["recording_index"]) for row in world.exclusions.to_pylist()}
    blocked = {(row["user_index"], row["artist_index"]) for row in world.blocked_artists.to_pylist()}
    editions, before = world.editions.to_pylist(), by_listener(lists.slots)
    for listener, rows in by_listener(mended.slots).items():
        for name, most in (("artist_index", 2), ("album_index", 2)):
            count, limit = (
                max(Counter(editions[row["edition_index"]][name] for row in some).values())
                for some in (
                    [row for row in rows if editions[row["edition_index"]][name] >= 0],
                    before[listener],
                )
            )
            assert count <= max(most, limit)
        if len(rows) == 30:
            new = [sum(row["is_new_artist"] for row in some) for some in (rows, before[listener])]
            assert new[0] >= min(15, new[1])
        for row in (row for row in rows if row["is_refill"]):
            edition = editions[row["edition_index"]]
            assert edition["unavailable_rule"] is None
            assert (listener, row["recording_index"]) not in excluded
            assert not any((listener, artist) in blocked for artist in edition["artist_indexes"])
            parts = [value for name, value in row.items() if name.startswith("contribution_")]
            assert abs(sum(parts) - row["final_score"]) <= 1e-9
            assert row["primary_source"] in row["candidate_sources"]


def test_without_soft_rules_the_list_is_the_one_that_would_have_been_made_without_the_track():
    # An artist for nearly every recording: neighbours by one, which are kept apart, would not take what is best.
    world = random_world(3, listeners=25, recordings=300, artists=3000)
    anything = AssemblyParams(
        new_artist_share=0.0,
        tracks_per_artist=30,
        tracks_per_album=30,
        new_release_slots=0,
        calibration_weight=0.0,
        popularity_calibration_weight=0.0,
    )
    # All there are: a list is mended from what search found, with what is taken among it.
    found = replace(PARAMS.candidates, candidate_count=300)
    params = replace(PARAMS, assembly=anything, candidates=found)
    _, mended, taken = made_and_mended(world, two_of_each_list, params)
    rules = [
        "taken_down" if gone else rule
        for gone, rule in zip(taken, world.editions["unavailable_rule"].to_pylist(), strict=True)
    ]
    place = world.editions.column_names.index("unavailable_rule")
    knowing = world.replaced(editions=world.editions.set_column(place, "unavailable_rule", [rules]))
    anew = by_listener(made_and_mended(knowing, lambda slots: [], params)[0].slots)
    lists = by_listener(mended.slots)
    assert len(lists) == 25
    for listener, rows in lists.items():
        scores = {row["recording_index"]: row["final_score"] for row in rows}
        assert scores == {row["recording_index"]: row["final_score"] for row in anew[listener]}


def test_a_refill_does_not_stand_beside_its_own_artist():
    world = random_world(3, listeners=25, recordings=300, artists=150, restrictions=False)
    _, mended, _ = made_and_mended(world, two_of_each_list)
    artist = world.editions["artist_index"].to_pylist()
    assert pc.sum(mended.slots["is_refill"]).as_py() > 50
    for rows in by_listener(mended.slots).values():
        assert all(artist[one["edition_index"]] != artist[other["edition_index"]] for one, other in pairwise(rows))


@pytest.mark.parametrize("artists", [20, 150])
def test_what_sounds_like_a_track_that_stays_fills_no_slot(artists):
    world = random_world(7, listeners=40, recordings=240, artists=artists, restrictions=False)
    sound_of = np.arange(240) // 4 * 4
    _, mended, _ = made_and_mended(world, two_of_each_list, sound_of=sound_of)
    assert pc.sum(mended.slots["is_refill"]).as_py() > 20
    for rows in by_listener(mended.slots).values():
        sounds = [sound_of[row["recording_index"]] for row in rows]
        assert len(set(sounds)) == len(sounds)


def test_another_edition_of_the_recording_takes_the_place_where_one_may_be_given():
    world = random_world(4, listeners=20, recordings=120, artists=60, restrictions=False)
    of = world.editions["recording_index"].to_numpy()
    twice = np.flatnonzero(np.bincount(of) > 1)

    def first_with_two(slots: pa.Table) -> np.ndarray:
        return slots.filter(pc.is_in(slots["recording_index"], pa.array(twice, pa.int32())))[
            "edition_index"
        ].to_numpy()[:1]

    lists, mended, taken = made_and_mended(world, first_with_two)
    edition = int(np.flatnonzero(taken)[0])
    before = {
        row["user_index"]: row["final_score"] for row in lists.slots.to_pylist() if row["edition_index"] == edition
    }
    refills = {row["user_index"]: row for row in mended.slots.to_pylist() if row["is_refill"]}
    assert refills.keys() == before.keys() != set()
    same = [user for user, row in refills.items() if row["recording_index"] == of[edition]]
    assert len(same) > len(before) / 2
    # Elsewhere another stood outside for the sake of a mix.
    assert all(refills[user]["final_score"] >= score for user, score in before.items())


def test_a_catalogue_with_nothing_left_leaves_the_list_shorter():
    world = random_world(5, listeners=6, recordings=30, artists=30, restrictions=False)
    world = world.replaced(
        interactions=table("interactions"),
        exclusions=table("exclusions"),
        known_artists=table("known_artists"),
        editions=table(
            "editions",
            edition_index=np.arange(30),
            recording_index=np.arange(30),
            artist_index=np.arange(30),
            artist_indexes=[[artist] for artist in range(30)],
            album_index=np.full(30, -1),
            explicit=np.zeros(30, dtype=bool),
            markets=[None] * 30,
            unavailable_rule=[None] * 30,
        ),
    )
    lists, mended, _ = made_and_mended(world, lambda slots: [0, 7])
    assert len(lists.slots) == 6 * 30
    assert {len(rows) for rows in by_listener(mended.slots).values()} == {28}
    assert mended.relaxations["limit_to"].to_pylist() == [28.0] * 6
    assert mended.mixes["user_index"].to_pylist() == list(range(6))


def test_what_an_earlier_takedown_said_is_replaced_and_all_else_stays():
    rows = [
        {"user_index": 1, "rule_id": "tracks_per_artist", "step": 1, "limit_from": 2.0, "limit_to": 3.0},
        {"user_index": 1, "rule_id": "taken_down", "step": 1, "limit_from": 30.0, "limit_to": 29.0},
        {"user_index": 2, "rule_id": "taken_down", "step": 1, "limit_from": 30.0, "limit_to": 29.0},
    ]
    schema = pa.schema(
        {"user_index": pa.int32(), "rule_id": pa.string(), "step": pa.int32()}
        | {name: pa.float64() for name in ("limit_from", "limit_to")}
    )
    now = [{**rows[1], "limit_to": 28.0}]
    old, new = (pa.Table.from_pylist(some, schema=schema) for some in (rows, now))
    once = with_mended(old, new, np.array([1]))
    assert once.to_pylist() == [now[0], rows[0], rows[2]]
    assert with_mended(once, new, np.array([1])) == once


def test_features_without_what_is_taken_give_nobody_that_edition():
    world = random_world(6, listeners=10)
    features = world.features()
    taken = np.zeros(len(features.editions), dtype=bool)
    taken[::3] = True
    left = without(features, taken).choice.edition
    assert not taken[left[left >= 0]].any()
    assert (left >= 0).sum() < (features.choice.edition >= 0).sum()
