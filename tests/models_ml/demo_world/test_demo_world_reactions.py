"""Whether listeners of the demo world react to playlists as people would, the same way each time.

Belongs here: the model of reactions, their files. Does not: what dbt makes of them (tests/end_to_end/test_feedback.py).
"""

import datetime as dt
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models_ml.demo_world import WorldParams
from models_ml.demo_world.draws import generator
from models_ml.demo_world.event_rows import EVENT_SCHEMA
from models_ml.demo_world.reaction_files import ReactionReport, expected_skips, write_reactions
from models_ml.demo_world.reactions import Lists, Moods, delights, draw_reactions, opening_chance, satiation
from models_ml.errors import InputError
from tests.models_ml.demo_world.world_fixture import SEED, file_bytes, small_world

FIRST = dt.date(2026, 10, 5)
PLACES = 30
LISTENING = {"usual", "events_only"}


def week(number: int) -> dt.date:
    return FIRST + dt.timedelta(weeks=number)


def new_world(folder: Path) -> Path:
    """The shared world without what the tests here write."""
    world, _ = small_world()
    shutil.copytree(world / "landing" / "tracks", folder / "landing" / "tracks")
    shutil.copytree(world / "truth", folder / "truth")
    return folder


def given(folder: Path, monday: dt.date) -> tuple[pa.Table, pa.Table]:
    """Lists of everyone: any thirty tracks, drawn by week; the odd places are new artists."""
    users = pq.read_table(folder / "truth" / "listeners.parquet")["user_id"].combine_chunks()
    tracks = pq.read_table(folder / "truth" / "tracks.parquet")["track_id"].combine_chunks()
    random = generator(1, "lists", monday.isoformat())
    drawn = np.argsort(random.random((len(users), len(tracks))), axis=1)[:, :PLACES]
    user_id = users.take(pa.array(np.repeat(np.arange(len(users)), PLACES)))
    place = np.tile(np.arange(1, PLACES + 1), len(users)).astype(np.int32)
    slots = pa.table(
        {
            "user_id": user_id,
            "position": pa.array(place),
            "playlist_id": pc.binary_join_element_wise("discover", str(monday), user_id, ":"),
            "track_id": tracks.take(pa.array(drawn.reshape(-1))),
            "is_new_artist": pa.array(place % 2 == 1),
        }
    )
    midnight = dt.datetime.combine(monday, dt.time())
    zones = [midnight + dt.timedelta(hours=number % 24 - 12) for number in range(len(users))]
    return slots, pa.table({"user_id": users, "available_at": pa.array(zones, pa.timestamp("us"))})


def react(folder: Path, monday: dt.date = FIRST, params: WorldParams | None = None) -> ReactionReport:
    slots, lists = given(folder, monday)
    return write_reactions(folder / "landing", folder / "truth", slots, lists, monday, params or WorldParams(), SEED)


def landed(folder: Path, monday: dt.date = FIRST) -> pa.Table:
    path = folder / "landing" / "events" / f"week={monday}" / "reactions-0000.parquet"
    return pq.read_table(path, partitioning=None) if path.exists() else EVENT_SCHEMA.empty_table()


def told(folder: Path, name: str, monday: dt.date = FIRST) -> pa.Table:
    return pq.read_table(folder / "truth" / "reactions" / f"week={monday}" / f"{name}.parquet", partitioning=None)


def in_lists(events: pa.Table, kind: str) -> pa.Table:
    return events.filter(pc.and_(pc.equal(events["event_type"], kind), pc.is_valid(events["context_id"])))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three weeks of reactions."""
    folder = new_world(tmp_path_factory.mktemp("reactions"))
    for number in range(3):
        react(folder, week(number))
    return folder


@pytest.fixture
def worlds(tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: new_world(tmp_path / name)


def lists_of(count: int, places: int = PLACES, **columns: object) -> Lists:
    """Lists without sameness or novelty, unless said."""
    shape = (count, places)
    everything: dict[str, object] = {
        "novelty": np.zeros(count),
        "ever": np.ones(count, dtype=bool),
        "distance": np.full(shape, 0.35),
        "artist": np.arange(count * places).reshape(shape),
        "genre": np.arange(count * places).reshape(shape),
        "artist_heard": np.zeros(shape, dtype=np.int64),
        "genre_heard": np.zeros(shape, dtype=np.int64),
        "is_new": np.zeros(shape, dtype=bool),
        "duration_ms": np.full(shape, 200_000),
    }
    return Lists(**{**everything, **columns})  # type: ignore[arg-type]


def test_the_same_lists_give_the_same_files(world: Path, worlds: Callable[[str], Path]) -> None:
    again = worlds("again")
    for number in range(3):
        react(again, week(number))
    assert file_bytes(again) == file_bytes(world)
    assert react(again, week(1)).was_there
    assert file_bytes(again) == file_bytes(world)


def test_a_writing_that_was_killed_is_made_good(world: Path, worlds: Callable[[str], Path]) -> None:
    killed = worlds("killed")
    for number in range(3):
        react(killed, week(number))
    # Landed, and not yet noted; and half a note of the try before.
    last = killed / "truth" / "reactions" / f"week={week(2)}"
    last.rename(last.with_name(f".week={week(2)}.writing"))
    assert not react(killed, week(2)).was_there
    assert file_bytes(killed) == file_bytes(world)


def test_other_seeds_and_weeks_react_otherwise(worlds: Callable[[str], Path]) -> None:
    folder, other = worlds("one"), worlds("other")
    slots, lists = given(folder, FIRST)
    write_reactions(folder / "landing", folder / "truth", slots, lists, FIRST, WorldParams(), SEED)
    write_reactions(other / "landing", other / "truth", slots, lists, FIRST, WorldParams(), SEED + 1)
    assert landed(folder).num_rows > 0
    assert not landed(folder).equals(landed(other))


def test_what_lands_is_within_the_contract_and_its_week(world: Path) -> None:
    for number in range(3):
        events = landed(world, week(number))
        assert events.schema.equals(EVENT_SCHEMA)
        bounds = pc.min_max(events["occurred_at"]).as_py()
        start = dt.datetime.combine(week(number), dt.time(), dt.UTC)
        assert start <= bounds["min"] <= bounds["max"] < start + dt.timedelta(weeks=1)
        assert len(events["event_id"].unique()) == len(events)
        assert set(events["event_type"].to_pylist()) == {"impression", "play", "save", "like"}
        for column in ("user_id", "track_id", "occurred_at", "session_id", "event_id"):
            assert events[column].null_count == 0
        played = events.filter(pc.equal(events["event_type"], "play"))
        assert pc.min(played["ms_played"]).as_py() >= 1_000
        assert set(played["reason_end"].to_pylist()) == {"trackdone", "fwdbtn", "appclose"}


def test_a_slot_is_impressed_and_played_once_in_the_list_it_stands_in(world: Path) -> None:
    slots = {(row["user_id"], row["position"]): row for row in given(world, FIRST)[0].to_pylist()}
    keys = []
    for kind in ("impression", "play"):
        rows = in_lists(landed(world), kind).to_pylist()
        assert all(row["track_id"] == slots[row["user_id"], row["position"]]["track_id"] for row in rows)
        assert all(row["context_id"] == f"discover:{FIRST}:{row['user_id']}" for row in rows)
        keys.append([(row["user_id"], row["position"]) for row in rows])
        assert len(set(keys[-1])) == len(keys[-1]) > 100
    assert set(keys[0]) == set(keys[1])


def test_nobody_opens_a_list_before_it_is_there(world: Path) -> None:
    available = {row["user_id"]: row["available_at"] for row in given(world, FIRST)[1].to_pylist()}
    first = in_lists(landed(world), "impression").to_pylist()
    assert all(row["occurred_at"].replace(tzinfo=None) >= available[row["user_id"]] for row in first)


def test_further_down_the_list_fewer_come(world: Path) -> None:
    reached = np.bincount(in_lists(landed(world), "impression")["position"].to_numpy(), minlength=PLACES + 1)[1:]
    assert (np.diff(reached) <= 0).all(), "whoever reaches a place has passed all before it"
    assert reached[0] > 3 * reached[-1] > 0


def test_what_fits_better_is_skipped_less_and_kept_more(world: Path) -> None:
    slots = pa.concat_tables([told(world, "slots", week(number)) for number in range(3)])
    fits, skipped = slots["fit"].to_numpy(), pc.equal(slots["end"], "skipped").to_numpy()
    edges = np.quantile(fits, [0, 1 / 3, 2 / 3, 1])
    shares = [float(skipped[(fits >= low) & (fits <= high)].mean()) for low, high in pairwise(edges)]
    assert shares[0] > shares[1] > shares[2]
    kept = pc.or_(slots["saved"], slots["liked"]).to_numpy()
    assert fits[kept].mean() > 2 * fits.mean()


def test_only_those_who_listen_react(world: Path) -> None:
    kinds = {row["user_id"]: row["kind"] for row in pq.read_table(world / "truth" / "listeners.parquet").to_pylist()}
    assert {kinds[user] for user in landed(world)["user_id"].to_pylist()} <= LISTENING


def test_what_comes_back_of_its_own_accord_was_liked_before(world: Path) -> None:
    liked: dict[tuple[str, str], dt.datetime] = {}
    found = 0
    for number in range(3):
        for row in told(world, "slots", week(number)).to_pylist():
            if row["saved"] or row["liked"]:
                liked.setdefault((row["user_id"], row["track_id"]), row["said_at"])
        events = landed(world, week(number))
        for row in events.filter(pc.is_null(events["context_id"])).to_pylist():
            assert row["occurred_at"] > liked[row["user_id"], row["track_id"]]
            assert (row["event_type"], row["context_type"]) == ("play", "collection")
            found += 1
    assert found > 10


def test_a_share_of_zero_lands_nothing(worlds: Callable[[str], Path]) -> None:
    folder = worlds("nobody")
    report = react(folder, FIRST, WorldParams(reaction_share=0))
    assert report == ReactionReport(opened=0, events=0, left=0, was_there=False)
    assert not (folder / "landing" / "events").exists()
    assert not pc.any(told(folder, "listeners")["opened"]).as_py()


def test_without_stopping_everyone_who_opens_reaches_the_end() -> None:
    params = WorldParams(stopping_share=0, opening_share=0.5)
    reactions = draw_reactions(generator(1, "x"), lists_of(500), Moods.none(500), params)
    assert 200 < reactions.opened.sum() < 300
    np.testing.assert_array_equal(reactions.reached, np.repeat(reactions.opened[:, None], PLACES, axis=1))


def test_skips_are_as_many_as_are_expected(worlds: Callable[[str], Path]) -> None:
    folder = worlds("expected")
    params = WorldParams(reaction_share=1.0, opening_share=1.0, stopping_share=0.0)
    react(folder, FIRST, params)  # a week of which something is remembered
    monday = week(1)
    slots, lists = given(folder, monday)
    expected = expected_skips(folder / "landing", folder / "truth", slots, lists, monday, params)
    react(folder, monday, params)
    ends = told(folder, "slots", monday)["end"].to_pylist()
    whole = pc.value_counts(told(folder, "slots", monday)["user_id"]).to_pylist()
    heard_all = {row["values"] for row in whole if row["counts"] == PLACES}
    users = told(folder, "slots", monday)["user_id"].to_pylist()
    skipped = sum(end == "skipped" for end, user in zip(ends, users, strict=True) if user in heard_all)
    chance = np.array([expected[user] for user in heard_all])
    # Chances within a list differ, which makes the sum vary less than this.
    assert abs(skipped - PLACES * chance.sum()) < 4 * np.sqrt(PLACES * (chance * (1 - chance)).sum())
    assert len(heard_all) > 100


def test_without_comebacks_every_event_is_in_a_list(worlds: Callable[[str], Path]) -> None:
    folder = worlds("no comebacks")
    react(folder, FIRST, WorldParams(comeback_share=0))
    assert landed(folder)["context_id"].null_count == 0


def test_new_artists_that_fit_delight_those_who_love_the_new() -> None:
    novelty = np.array([-1.0, 0.0, 1.0])
    lists = lists_of(3, 2, novelty=novelty, is_new=np.array([[True, False]] * 3))
    expected = [[0.0, 0.0], [0.25, 0.0], [0.5, 0.0]]  # fit * (1 + novelty) / 2 where new
    np.testing.assert_allclose(delights(lists, np.full((3, 2), 0.5), 1.0), expected)
    assert (delights(lists, np.full((3, 2), 0.5), 0.0) == 0).all()


def test_the_same_artist_again_tires() -> None:
    artist = np.array([[1, 2, 1, 1]])
    lists = lists_of(1, 4, artist=artist, artist_heard=np.array([[0, 4, 0, 0]]))
    # Two hearings before count as log(2); genres all differ.
    np.testing.assert_allclose(satiation(lists), np.log([[1.0, 3.0, 1.5, 2.0]]))
    fresh, tired = lists_of(2_000, 30), lists_of(2_000, 30, artist=np.ones((2_000, 30), dtype=np.int64))
    skips = {}
    for name, some, params in (
        ("fresh", fresh, WorldParams(stopping_share=0)),
        ("tired", tired, WorldParams(stopping_share=0)),
        ("off", tired, WorldParams(stopping_share=0, satiation_strength=0)),
    ):
        reactions = draw_reactions(generator(2, "x"), some, Moods.none(2_000), params)
        skips[name] = float((reactions.end == 1).mean())
    assert skips["tired"] > 1.3 * skips["fresh"]
    assert skips["off"] == skips["fresh"]


def test_boredom_keeps_lists_closed_and_delight_opens_them() -> None:
    moods = Moods(np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.zeros(3, dtype=int), np.zeros(3, dtype=bool))
    usual, bored, delighted = opening_chance(moods, 0.6)
    assert usual == pytest.approx(0.6)
    assert bored < 0.3 < 0.8 < delighted
    assert opening_chance(moods, 0.0).tolist() == [0, 0, 0]
    np.testing.assert_allclose(opening_chance(moods, 1.0), 1.0)


def test_those_bored_for_weeks_leave_and_never_come_back() -> None:
    far = lists_of(1_000, distance=np.full((1_000, PLACES), 9.0))
    left = {}
    for share in (0.0, 0.5):
        moods = Moods.none(1_000)
        for number in range(6):
            was_gone = moods.gone
            params = WorldParams(churn_share=share, opening_share=1)
            reactions = draw_reactions(generator(3, number), far, moods, params)
            assert not (reactions.opened & was_gone).any()
            assert not (reactions.leaves & was_gone).any()
            assert number >= 2 or not reactions.leaves.any(), "nobody leaves after a week or two"
            moods = reactions.moods
        left[share] = int(moods.gone.sum())
    assert left[0.0] == 0
    assert left[0.5] > 500


def test_who_leaves_cancels(worlds: Callable[[str], Path]) -> None:
    folder = worlds("bored")
    params = WorldParams(opening_share=1, churn_share=1, delight_strength=0, satiation_strength=4)
    for number in range(6):
        react(folder, week(number), params)
    gone = told(folder, "listeners", week(5))
    who = gone.filter(gone["gone"])["user_id"].to_pylist()
    files = sorted((folder / "landing" / "subscriptions").glob("cancellations-*.parquet"))
    rows = [row for path in files for row in pq.read_table(path).to_pylist()]
    assert sorted(row["user_id"] for row in rows) == sorted(who)
    assert len(who) > 20
    assert {row["event"] for row in rows} == {"cancel"}


def test_lists_of_another_world_are_refused(worlds: Callable[[str], Path]) -> None:
    folder = worlds("other")
    slots, lists = given(folder, FIRST)
    strange = slots.set_column(3, "track_id", pa.array(["nobody's"] * len(slots)))
    with pytest.raises(InputError, match="nobody's was given and is not of this world"):
        write_reactions(folder / "landing", folder / "truth", strange, lists, FIRST, WorldParams(), SEED)
    with pytest.raises(InputError, match="have 29 to 30 tracks"):
        write_reactions(folder / "landing", folder / "truth", slots.slice(1), lists, FIRST, WorldParams(), SEED)
    assert not (folder / "landing" / "events").exists()


def test_without_a_list_nothing_happens(worlds: Callable[[str], Path]) -> None:
    folder = worlds("none")
    slots, lists = given(folder, FIRST)
    report = write_reactions(
        folder / "landing", folder / "truth", slots.slice(0, 0), lists.slice(0, 0), FIRST, WorldParams(), SEED
    )
    assert (report.opened, report.events) == (0, 0)
    assert len(told(folder, "listeners")) == len(pq.read_table(folder / "truth" / "listeners.parquet"))
