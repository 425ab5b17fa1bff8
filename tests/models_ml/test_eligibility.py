"""Tests of edition choice, of each filter with its reason, and of what is popular where."""

import numpy as np
import pyarrow as pa
import pytest
from feature_worlds import World, random_world, table
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.eligibility import editions_for, filter_codes, forbidden
from models_ml.errors import InputError
from models_ml.rules import FILTER_RULES


def small_world(
    markets=("SE",),
    allow_explicit=(True,),
    editions=({},),
    exclusions=(),
    blocked=(),
    popular=(("", 0),),
) -> World:
    """A week of few listeners; editions are dicts of what differs from a plain track of recording 0."""
    plain = {"recording": 0, "artist": 0, "artists": [0], "explicit": False, "markets": None, "rule": None}
    rows = [plain | edition for edition in editions]
    count = max(row["recording"] for row in rows) + 1
    return World(
        listeners=table(
            "listeners",
            user_index=range(len(markets)),
            user_id=[f"u{place}" for place in range(len(markets))],
            market=markets,
            allow_explicit=allow_explicit,
            allow_exploration=[True] * len(markets),
        ),
        recordings=table(
            "recordings",
            recording_index=range(count),
            recording_id=[f"r{place}" for place in range(count)],
            age_days=[None] * count,
            idle_days=[None] * count,
            listener_count=[0] * count,
            recent_listener_count=[0] * count,
            popularity_percentile=[0.0] * count,
            is_boosted=[False] * count,
        ),
        editions=_editions(rows),
        interactions=table("interactions"),
        exclusions=table(
            "exclusions",
            user_index=[user for user, _, _ in exclusions],
            recording_index=[recording for _, recording, _ in exclusions],
            rule_id=[rule for _, _, rule in exclusions],
        ),
        blocked_artists=table(
            "blocked_artists", user_index=[user for user, _ in blocked], artist_index=[artist for _, artist in blocked]
        ),
        known_artists=table("known_artists"),
        market_popularity=table(
            "market_popularity",
            market=[market for market, _ in popular],
            recording_index=[recording for _, recording in popular],
            listener_count=[1] * len(popular),
            rank=range(1, len(popular) + 1),
        ),
    )


def _editions(rows: list[dict]) -> pa.Table:
    return table(
        "editions",
        edition_index=range(len(rows)),
        recording_index=[row["recording"] for row in rows],
        artist_index=[row["artist"] for row in rows],
        artist_indexes=[row["artists"] for row in rows],
        album_index=[-1] * len(rows),
        explicit=[row["explicit"] for row in rows],
        markets=[row["markets"] for row in rows],
        unavailable_rule=[row["rule"] for row in rows],
    )


def reason(world: World, listener: int = 0, recording: int = 0) -> str:
    code = filter_codes(world.features(), np.array([listener]), np.array([recording]))[0]
    return ("passes", *FILTER_RULES)[code]


def edition(world: World, listener: int = 0) -> int:
    return int(editions_for(world.features(), np.array([listener]), np.array([0]))[0])


def test_the_first_available_edition_is_the_one_to_play():
    assert edition(small_world(editions=[{"rule": "taken_down"}, {}, {}])) == 1


def test_a_clean_edition_stands_in_for_an_explicit_one():
    editions = [{"explicit": True}, {"explicit": False}]
    world = small_world(markets=["SE", "SE"], allow_explicit=[True, False], editions=editions)
    assert [edition(world, listener) for listener in (0, 1)] == [0, 1]


def test_each_market_gets_the_edition_released_there():
    editions = [{"markets": ["JP"]}, {"markets": ["SE", "NO"]}, {"markets": []}]
    world = small_world(markets=["SE", "JP", "BR", None], allow_explicit=[True] * 4, editions=editions)
    # The last listener's market is unknown beside known ones: nothing is open to them that isn't open everywhere.
    assert [edition(world, listener) for listener in range(4)] == [1, 0, -1, -1]
    assert [reason(world, listener) for listener in range(4)] == ["passes", "passes", "market", "market"]


def test_where_no_listener_states_a_market_the_rule_is_not_applied():
    world = small_world(markets=[None], allow_explicit=[True], editions=[{"markets": ["JP"]}])
    assert edition(world, 0) == 0


def test_an_unknown_market_beside_known_ones_gets_what_may_be_played_everywhere():
    editions = [{"markets": ["JP"]}, {"markets": None}]
    world = small_world(markets=["JP", None], allow_explicit=[True] * 2, editions=editions)
    assert [edition(world, listener) for listener in (0, 1)] == [0, 1]


@pytest.mark.parametrize("rule", ["taken_down", "embargoed", "not_released"])
def test_a_recording_without_any_available_edition_says_why(rule):
    assert reason(small_world(editions=[{"rule": rule}, {"rule": "taken_down"}])) == rule


def test_explicit_is_the_reason_only_where_a_clean_edition_is_all_that_lacks():
    assert reason(small_world(allow_explicit=[False], editions=[{"explicit": True}])) == "explicit"
    elsewhere = [{"explicit": True}, {"markets": ["JP"]}]
    assert reason(small_world(allow_explicit=[False], editions=elsewhere)) == "explicit"
    assert reason(small_world(allow_explicit=[False], editions=[{"explicit": True, "markets": ["JP"]}])) == "market"


@pytest.mark.parametrize("rule", ["heard", "skipped_twice", "sampled", "recommended", "blocked_track"])
def test_an_exclusion_holds_for_its_listener_only(rule):
    world = small_world(markets=["SE", "SE"], allow_explicit=[True, True], exclusions=[(1, 0, rule)])
    assert [reason(world, listener) for listener in (0, 1)] == ["passes", rule]


def test_every_credited_artist_counts_for_a_block():
    guest = [{"artist": 0, "artists": [0, 4]}]
    assert reason(small_world(editions=guest, blocked=[(0, 4)])) == "blocked_artist"
    assert reason(small_world(editions=guest, blocked=[(0, 0)])) == "blocked_artist"
    assert reason(small_world(editions=guest, blocked=[(0, 3)])) == "passes"


def test_the_first_credit_counts_even_where_the_list_of_artists_is_missing():
    assert reason(small_world(editions=[{"artist": 2, "artists": None}], blocked=[(0, 2)])) == "blocked_artist"


def test_an_artist_on_an_edition_that_is_not_played_does_not_matter():
    editions = [{"artists": [0]}, {"artists": [0, 4]}]
    assert reason(small_world(editions=editions, blocked=[(0, 4)])) == "passes"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_mask_before_a_search_forbids_exactly_what_the_filters_take_out(seed):
    features = random_world(seed, listeners=15, recordings=60, artists=10).features()
    listeners, recordings = np.divmod(np.arange(15 * 60), 60)
    codes = filter_codes(features, listeners, recordings).reshape(15, 60)
    assert (forbidden(features, np.arange(15)) == (codes > 0)).all()
    assert (forbidden(features, np.array([7, 2])) == (codes[[7, 2]] > 0)).all()


def test_a_market_list_begins_with_its_own_and_goes_on_with_everywhere():
    editions = [{"recording": place} for place in range(4)]
    popular = [("", 0), ("", 1), ("", 2), ("SE", 2), ("SE", 3)]
    lists = small_world(editions=editions, popular=popular).features().popular
    assert lists.market_names.to_pylist() == ["", "SE"]
    assert lists.recording.tolist() == [[0, 1, 2, -1], [2, 3, 0, 1]]
    everywhere, sweden = np.zeros(4, dtype=int), np.ones(4, dtype=int)
    every = np.arange(4)
    assert lists.strength(everywhere, every).tolist() == pytest.approx([3 / 3, 2 / 3, 1 / 3, 0])
    assert lists.strength(sweden, every).tolist() == pytest.approx([2 / 4, 1 / 4, 4 / 4, 3 / 4])
    assert lists.is_popular(sweden, every, own_only=True).tolist() == [False, False, True, True]
    assert lists.is_popular(everywhere, every, own_only=True).tolist() == [False] * 4
    assert lists.is_popular(everywhere, every, own_only=False).tolist() == [True, True, True, False]


def test_a_listener_of_an_unknown_market_gets_what_is_popular_everywhere():
    world = small_world(markets=["SE", None, "BR"], allow_explicit=[True] * 3, popular=[("", 0), ("SE", 0)])
    assert world.features().popular_list.tolist() == [1, 0, 0]


def test_no_plays_at_all_means_empty_lists():
    lists = small_world(popular=[]).features().popular
    assert lists.recording.shape == (1, 0)
    assert lists.strength(np.array([0]), np.array([0])).tolist() == [0.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"editions": [{"rule": "gone"}]}, "editions: unavailable_rule is 'gone' in row 0"),
        ({"exclusions": [(0, 0, "boring")]}, "exclusions: rule_id is 'boring' in row 0"),
        ({"exclusions": [(0, 5, "heard")]}, "exclusions: recording_index is 5 in row 0; it must lie in 0..0"),
        ({"editions": [{"recording": 1}]}, "editions: recording_index 0 has no edition"),
        ({"editions": [{}, {"recording": 1}, {}]}, "editions: recording_index falls in row 2"),
        ({"popular": [("SE", 0), ("", 0)]}, "market_popularity: rows are out of order"),
    ],
)
def test_tables_that_can_not_be_used_are_named(change, message):
    with pytest.raises(InputError, match=message):
        small_world(**change).features()


def test_an_index_with_gaps_or_out_of_order_is_refused():
    world = small_world(markets=["SE", "SE"], allow_explicit=[True, True])
    with pytest.raises(InputError, match="listeners: user_index is 1 in row 0, not 0"):
        world.replaced(listeners=world.listeners[::-1]).features()
