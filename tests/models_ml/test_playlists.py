"""Tests of whole playlists: what holds for every list, whatever the world."""

from collections import Counter, defaultdict
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
from models_ml.calibration import Calibration, popularity_parts, weights
from models_ml.candidates import CandidateParams, find_candidates
from models_ml.collaborative import CollaborativeFactors, CollaborativeParams, fit_collaborative
from models_ml.errors import InputError
from models_ml.exploration.arms import Exploration, read_arms
from models_ml.exploration.params import ExplorationParams
from models_ml.exploration.uniforms import keys
from models_ml.features import WeekFeatures
from models_ml.flow import ArrangementParams, Flow
from models_ml.funnel import hashes
from models_ml.genres import Genres, read_genres
from models_ml.playlists import PlaylistMaker, PlaylistParams, PlaylistTables, build_playlists
from models_ml.ranking import RankingParams
from models_ml.retrieval import ExactRetriever
from models_ml.slates import goes_first

PARAMS = PlaylistParams(candidates=CandidateParams(candidate_count=60, minimum_kept=30, block_listeners=9))


BOLD = ExplorationParams(softmax_listener_share=0.3, exploit_temperature=0.3)


def trained_on(world: World, factors=6) -> CollaborativeFactors:
    """The vectors of a world."""
    features = world.features()
    ids = features.user_id, features.recordings.recording_id
    how = CollaborativeParams(factors=factors, regularization=0.1, regularization_scaling="constant", threads=1)
    return fit_collaborative(world.interactions, *ids, how, 1)


def calibrated(features: WeekFeatures, genres: Genres, rules: AssemblyParams) -> Calibration:
    """By genre, and by popularity beside it."""
    dial, percentile = np.full(features.listener_count, 0.5), features.recordings.popularity_percentile
    parts = popularity_parts(percentile, rules.popularity_middle_from, rules.popularity_head_from)
    popularity = Calibration(parts, weights(rules.popularity_calibration_weight, dial))
    return Calibration(genres, weights(rules.calibration_weight, dial), popularity)


def made(
    world: World, params=PARAMS, factors=6, explored: ExplorationParams | None = BOLD, learning=None, features=None
) -> PlaylistTables:
    """The playlists of a world.  explored: None leaves nothing to chance.  features: None: those of the world."""
    features, trained = features or world.features(), trained_on(world, factors)
    retriever = ExactRetriever(trained.recording_factors, trained.retrievable)
    names = [f"genre {place % 9}" for place in range(len(features.recordings))]
    genres = read_genres(pa.array([[name] for name in names]), trained.served)
    exploration = explored and some_arms(features, genres.names, names, world.listeners, explored)
    candidates = find_candidates(features, trained, retriever, params.candidates, exploration=exploration)
    calibration = calibrated(features, genres, params.assembly)
    maker = PlaylistMaker(
        features, trained, params, calibration=calibration, exploration=exploration, learning=learning
    )
    return build_playlists(maker, in_blocks(candidates.table, params))


def some_arms(
    features: WeekFeatures, genre_names: pa.Array, names: list[str], listeners: pa.Table, params: ExplorationParams
) -> Exploration:
    """Every fifth recording by a new artist, an arm of one genre."""
    members = [(place, "new_artist") for place in range(0, len(names), 5)]
    members += [(place, "genre:genre 3") for place, name in enumerate(names) if name == "genre 3"]
    arms = {"arm_id": ["genre:genre 3", "new_artist", "nothing_special"]}
    known = pa.table({**arms, "segment": ["everyone"] * 3, "alpha": [2.0, 3.0, 4.0], "beta": [4.0, 3.0, 2.0]})
    place, arm = zip(*members, strict=True)
    recording_arms = pa.table({"recording_index": pa.array(place, pa.int32()), "arm_id": list(arm)})
    read = read_arms(recording_arms, known, genre_names, len(names), params)
    allowed = listeners["allow_exploration"].to_numpy(zero_copy_only=False).astype(bool)
    return Exploration(read, allowed, keys(hashes(features.user_id), 3), params)


def in_blocks(candidates: pa.Table, params: PlaylistParams) -> list[pa.RecordBatch]:
    return candidates.combine_chunks().to_batches(max_chunksize=params.candidates.block_listeners)


def by_listener(playlists: PlaylistTables) -> dict[int, list[dict]]:
    lists = defaultdict(list)
    for row in playlists.slots.to_pylist():
        lists[row["user_index"]].append(row)
    return lists


def limits_by_listener(playlists: PlaylistTables) -> dict[int, dict[str, float]]:
    limits = defaultdict(lambda: {"new_artist_share": 0.5, "tracks_per_album": 2.0, "tracks_per_artist": 2.0})
    for row in playlists.relaxations.to_pylist():
        limits[row["user_index"]][row["rule_id"]] = row["limit_to"]
    return limits


def without_albums(world: World) -> pa.Table:
    """The editions, none of them on an album."""
    albums = pa.array([-1] * world.editions.num_rows, pa.int32())
    return world.editions.set_column(world.editions.column_names.index("album_index"), "album_index", albums)


worlds = st.builds(
    random_world,
    seed=st.integers(0, 10**6),
    listeners=st.integers(1, 25),
    recordings=st.sampled_from([20, 35, 60, 150]),
    artists=st.sampled_from([1, 6, 20, 60]),
    per_listener=st.sampled_from([0, 1, 8, 20]),
)
few_examples = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@few_examples
@given(worlds)
def test_every_listener_gets_thirty_distinct_tracks_or_a_row_that_says_too_few(world):
    playlists = made(world)
    lists = by_listener(playlists)
    too_few = playlists.relaxations.filter(pc.field("rule_id") == "too_few_tracks").to_pylist()
    assert set(lists) | {row["user_index"] for row in too_few} == set(range(world.listeners.num_rows))
    assert len(lists) + len(too_few) == world.listeners.num_rows
    for rows in lists.values():
        assert [row["position"] for row in rows] == list(range(1, 31))
        assert len({row["recording_index"] for row in rows}) == 30
    assert all(row["limit_from"] == 30 and 0 <= row["limit_to"] < 30 for row in too_few)


@few_examples
@given(worlds)
def test_rows_are_in_the_order_of_listeners_and_places_whatever_gave_way(world):
    playlists = made(world)
    for table_ in (playlists.slots, playlists.ranked):
        place = table_["user_index"].to_numpy().astype(np.int64) * 100 + table_["position"].to_numpy()
        assert np.all(np.diff(place) > 0)
    assert np.all(np.diff(playlists.mixes["user_index"].to_numpy()) > 0)


@few_examples
@given(worlds)
def test_no_filter_ever_gives_way(world):
    exclusions = {(row["user_index"], row["recording_index"]) for row in world.exclusions.to_pylist()}
    blocked = {(row["user_index"], row["artist_index"]) for row in world.blocked_artists.to_pylist()}
    editions, listeners = world.editions.to_pylist(), world.listeners.to_pylist()
    markets_matter = any(user["market"] is not None for user in listeners)
    for row in made(world).slots.to_pylist():
        user, edition = listeners[row["user_index"]], editions[row["edition_index"]]
        assert edition["recording_index"] == row["recording_index"]
        assert (row["user_index"], row["recording_index"]) not in exclusions
        assert not any((row["user_index"], artist) in blocked for artist in edition["artist_indexes"])
        assert edition["unavailable_rule"] is None
        assert user["allow_explicit"] or not edition["explicit"]
        assert edition["markets"] is None or not markets_matter or user["market"] in edition["markets"]


@few_examples
@given(worlds)
def test_soft_rules_hold_or_a_row_says_how_far_they_gave_way(world):
    playlists = made(world)
    editions = world.editions.to_pylist()
    known = {(row["user_index"], row["artist_index"]): row["prior_plays"] for row in world.known_artists.to_pylist()}
    limits = limits_by_listener(playlists)
    for listener, rows in by_listener(playlists).items():
        given_editions = [editions[row["edition_index"]] for row in rows]
        artists = Counter(edition["artist_index"] for edition in given_editions)
        albums = Counter(edition["album_index"] for edition in given_editions if edition["album_index"] >= 0)
        is_new = [not any((listener, a) in known for a in edition["artist_indexes"]) for edition in given_editions]
        assert [row["is_new_artist"] for row in rows] == is_new
        assert sum(is_new) >= 30 * limits[listener]["new_artist_share"]
        assert max(artists.values()) <= limits[listener]["tracks_per_artist"]
        assert max(albums.values(), default=0) <= limits[listener]["tracks_per_album"]
        plays = [known.get((listener, edition["artist_index"]), 0) for edition in given_editions]
        assert [row["artist_prior_plays"] for row in rows] == plays


@few_examples
@given(worlds)
def test_neighbours_are_by_different_artists_wherever_possible(world):
    artist = world.editions["artist_index"].to_pylist()
    for rows in by_listener(made(world)).values():
        artists = [artist[row["edition_index"]] for row in rows]
        if max(Counter(artists).values()) <= 15:
            assert all(left != right for left, right in pairwise(artists))


@few_examples
@given(worlds)
def test_components_add_up_and_reasons_name_evidence_that_is_there(world):
    liked = {
        (row["user_index"], row["recording_index"]) for row in world.interactions.to_pylist() if row["preference"] > 0
    }
    age_days = world.recordings["age_days"].to_pylist()
    for row in made(world).slots.to_pylist():
        parts = [row[f"contribution_{name}"] for name in ("collaborative", "popularity", "freshness")]
        boost = row["contribution_boost"]
        assert boost == (PARAMS.ranking.boost_weight if row["recording_index"] % 40 == 3 else 0.0)
        age = age_days[row["recording_index"]]
        is_fresh = age is not None and age <= CandidateParams().fresh_days
        assert abs(sum(parts) + boost - row["final_score"]) <= 1e-9
        if row["anchor_recording_index"] is not None:
            assert (row["user_index"], row["anchor_recording_index"]) in liked
        if row["reason_code"] == "because_you_played":
            assert row["anchor_recording_index"] is not None
            assert row["contribution_collaborative"] == max(parts if is_fresh else parts[:2])
        if row["reason_code"] == "new_release":
            assert row["contribution_freshness"] > 0
            assert is_fresh
        assert row["primary_source"] in row["candidate_sources"]
        assert (row["track_rung"] == "collaborative") == (row["primary_source"] != "popular")


@few_examples
@given(worlds)
def test_the_same_week_twice_gives_the_same_tables(world):
    first, second = made(world), made(world)
    assert first.slots.combine_chunks() == second.slots.combine_chunks()
    assert first.relaxations.combine_chunks() == second.relaxations.combine_chunks()


def test_the_block_size_changes_nothing():
    world = random_world(5, listeners=60)
    small, large = (
        made(world, replace(PARAMS, candidates=replace(PARAMS.candidates, block_listeners=size))) for size in (7, 999)
    )
    assert small.slots.combine_chunks() == large.slots.combine_chunks()


def test_rows_in_another_order_are_refused():
    world = random_world(6, listeners=10)
    with pytest.raises(InputError, match="interactions: row 1 "):
        made(world.replaced(interactions=world.interactions[::-1]))


def test_candidates_out_of_order_are_refused():
    world = random_world(6, listeners=10)
    features = world.features()
    ids = features.user_id, features.recordings.recording_id
    how = CollaborativeParams(factors=4, regularization=0.1, regularization_scaling="constant", threads=1)
    factors = fit_collaborative(world.interactions, *ids, how, 1)
    retriever = ExactRetriever(factors.recording_factors, factors.retrievable)
    candidates = find_candidates(features, factors, retriever, PARAMS.candidates).table
    with pytest.raises(InputError, match="candidates: user_index 8 in row 1 is out of order"):
        build_playlists(PlaylistMaker(features, factors, PARAMS), in_blocks(candidates[::-1], PARAMS))


def test_no_listeners_is_a_week_without_playlists():
    world = random_world(7, listeners=0)
    playlists = made(world)
    assert playlists.slots.num_rows == 0
    assert playlists.relaxations.num_rows == 0


def test_a_listener_without_history_gets_the_popular_list_in_its_order():
    world = random_world(8, listeners=1, recordings=300, artists=300, restrictions=False)
    world = world.replaced(
        interactions=table("interactions"),
        exclusions=table("exclusions"),
        known_artists=table("known_artists"),
        listeners=world.listeners.set_column(2, "market", [["SE"]]),
        recordings=world.recordings.set_column(2, "age_days", [[None] * 300]).cast(world.recordings.schema),
        editions=without_albums(world),
    )
    rows = by_listener(made(world, explored=replace(BOLD, heard_within=0)))[0]
    # What chance gave stands earlier by default; the thirty are the same.
    earlier = by_listener(made(world))[0]
    assert {row["recording_index"] for row in earlier} == {row["recording_index"] for row in rows}
    popular = world.market_popularity.filter(pc.field("market") == "SE")["recording_index"].to_pylist()
    assert [row["recording_index"] for row in rows] == popular[:30]
    assert {row["listener_rung"] for row in rows} == {row["track_rung"] for row in rows} == {"popular"}
    assert {row["reason_code"] for row in rows} == {"popular_in_market"}
    assert [row["contribution_popularity"] for row in rows] == pytest.approx([1 - place / 300 for place in range(30)])


def test_a_list_that_a_few_candidates_can_not_fill_is_filled_by_a_deeper_search():
    world = random_world(9, listeners=40, recordings=400, artists=400, restrictions=False)
    narrow = replace(PARAMS.candidates, candidate_count=10, minimum_kept=0, fresh_count=0)
    playlists = made(world, replace(PARAMS, candidates=narrow))
    assert playlists.slots.num_rows == 40 * 30
    assert playlists.relaxations.num_rows == 0


def test_popular_tracks_complete_a_list_that_vectors_can_not_fill():
    # Only recordings 0..19 are liked by anyone, so only they have a vector; the rest of a list is popular.
    world = random_world(10, listeners=12, recordings=200, artists=200, restrictions=False)
    liked = world.interactions.filter((pc.field("recording_index") < 20) & (pc.field("preference") > 0))
    world = world.replaced(
        interactions=liked,
        exclusions=table("exclusions"),
        known_artists=table("known_artists"),
        editions=without_albums(world),
    )
    lists = by_listener(made(world))
    with_vector = [rows for rows in lists.values() if rows[0]["listener_rung"] == "collaborative"]
    assert len(with_vector) > 5
    for rows in with_vector:
        rungs = Counter(row["track_rung"] for row in rows)
        assert rungs["collaborative"] == len(liked["recording_index"].unique())
        assert rungs["popular"] == 30 - rungs["collaborative"]
        assert all(row["anchor_recording_index"] is None for row in rows if row["track_rung"] == "popular")


def test_a_new_artist_share_of_nothing_lets_known_artists_fill_the_list():
    world = random_world(11, listeners=20, recordings=200, artists=8, restrictions=False)
    relaxed = AssemblyParams(new_artist_share=0.0, tracks_per_artist=30, tracks_per_album=30)
    playlists = made(world, replace(PARAMS, assembly=relaxed))
    assert playlists.relaxations.num_rows == 0
    assert playlists.slots.num_rows == 20 * 30
    assert not np.all(playlists.slots["is_new_artist"].to_numpy())


def test_an_order_that_flows_holds_the_same_thirty_and_brings_neighbours_nearer():
    world = random_world(4, listeners=30, recordings=300, artists=150)
    tracks, gaps = {}, {}
    for weight in (0.0, 1.0):
        how = ArrangementParams(flow_weight=weight)
        slots = made(world, replace(PARAMS, arrangement=how)).slots
        lists = slots["recording_index"].to_numpy().reshape(-1, 30)
        apart = Flow(trained_on(world).served, None, how).gaps(lists)
        tracks[weight] = np.sort(lists, axis=1).tolist()
        gaps[weight] = apart[:, np.arange(29), np.arange(1, 30)].mean()
    assert tracks[0.0] == tracks[1.0]
    assert gaps[1.0] < 0.8 * gaps[0.0]


def test_each_list_has_a_row_of_how_far_its_genres_are_and_calibration_brings_them_nearer():
    world = random_world(3, listeners=30, recordings=300, artists=150)
    loose, firm = (
        made(world, replace(PARAMS, assembly=AssemblyParams(calibration_weight=weight))) for weight in (0.0, 5.0)
    )
    for playlists in (loose, firm):
        assert playlists.mixes["user_index"].to_pylist() == sorted(by_listener(playlists))
        told = playlists.mixes.drop_null()
        assert told.num_rows
        assert np.all(told["genre_kl"].to_numpy() >= told["genre_kl_least"].to_numpy() - 1e-9)
    assert pc.mean(firm.mixes["genre_kl"]).as_py() < 0.5 * pc.mean(loose.mixes["genre_kl"]).as_py()


def test_each_list_says_how_far_its_popularity_is_and_the_pull_brings_it_nearer_beside_that_of_genres():
    world = random_world(3, listeners=30, recordings=300, artists=150)
    # A score that takes lists away from how popular their listeners' music is, or there is little to bring nearer.
    params = replace(PARAMS, ranking=RankingParams(popularity_penalty=0.05))
    loose, firm = (
        made(world, replace(params, assembly=AssemblyParams(popularity_calibration_weight=weight)))
        for weight in (0.0, 5.0)
    )
    for playlists in (loose, firm):
        told = playlists.mixes.drop_null()
        assert told.num_rows
        assert np.all(told["popularity_kl"].to_numpy() >= told["popularity_kl_least"].to_numpy() - 1e-9)
    by_name = {
        name: [pc.mean(of.mixes[name]).as_py() for of in (loose, firm)] for name in ("genre_kl", "popularity_kl")
    }
    assert by_name["popularity_kl"][1] < 0.5 * by_name["popularity_kl"][0]
    # Two pulls share the thirty slots: genres give a little, and are still held to.
    unheld = made(world, replace(params, assembly=AssemblyParams(calibration_weight=0.0)))
    assert by_name["genre_kl"][1] < pc.mean(unheld.mixes["genre_kl"]).as_py()
    assert {len(genres) for genres in firm.slots["genres"].to_pylist()} == {1}
    assert not any(firm.slots["genres_are_guessed"].to_pylist())


def test_a_slot_for_a_new_release_goes_to_the_reserved_one_worth_most_and_to_no_other():
    reserved = np.array([[False, True, True, True], [False, False, False, False], [True, True, False, False]])
    value = np.array([[9.0, 1.0, 3.0, 2.0], [4.0, 3.0, 2.0, 1.0], [5.0, 5.0, 9.0, 9.0]])
    one, two, none = (goes_first(reserved, value, slots) for slots in (1, 2, 0))
    assert one.tolist() == [[False, False, True, False], [False] * 4, [True, False, False, False]]
    assert two.tolist() == [[False, False, True, True], [False] * 4, [True, True, False, False]]
    assert not none.any()


def test_a_boost_lifts_a_track_into_more_lists_and_past_no_filter():
    world = random_world(12, listeners=40, recordings=200, artists=100)
    plain, strong = (
        made(world, replace(PARAMS, ranking=replace(PARAMS.ranking, boost_weight=weight))) for weight in (0.0, 5.0)
    )
    boosted = world.recordings.filter(pc.field("is_boosted"))["recording_index"]
    counts = [pc.sum(pc.is_in(lists.slots["recording_index"], boosted)).as_py() for lists in (plain, strong)]
    assert counts[1] > counts[0] > 0
    assert set(plain.slots["contribution_boost"].to_pylist()) == {0.0}
    editions = world.editions["unavailable_rule"]
    assert all(editions[row["edition_index"]].as_py() is None for row in strong.slots.to_pylist())


def test_a_boost_is_no_reason():
    world = random_world(12, listeners=40, recordings=200, artists=100)
    strong = made(world, replace(PARAMS, ranking=replace(PARAMS.ranking, boost_weight=5.0)))
    codes = Counter(row["reason_code"] for row in strong.slots.to_pylist() if row["contribution_boost"] > 0)
    assert codes["because_you_played"] > sum(codes.values()) / 2


def test_weeks_from_before_boosts_counted_boost_nothing():
    world = random_world(12, listeners=3)
    old = world.replaced(recordings=world.recordings.drop_columns(["is_boosted"]))
    assert not old.features().recordings.is_boosted.any()
