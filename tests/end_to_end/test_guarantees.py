"""The guarantees on published rows, over three worlds; and each check is seen to fail where a row breaks it."""

import dataclasses
import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from dagster_project.cli_run import run_week
from dagster_project.home import Home
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.size import WorldSize
from models_ml.demo_world.world import write_world
from tests.end_to_end.breaches import CHANGES
from tests.end_to_end.guarantees import GUARANTEES, Published, breaches, read_published
from tests.end_to_end.landed import Landed, Row, bare_title, read_landed
from tests.worlds import MONDAY, land, land_small_world

MIDNIGHT = dt.datetime.combine(MONDAY, dt.time())
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class World:
    """A run's landing files and what was published from them."""

    landed: Landed
    published: Published


def _event(
    user_id: str, event_type: str, track_id: str | None = None, at: dt.datetime = MIDNIGHT - DAY, **more: object
) -> Row:
    return {"user_id": user_id, "event_type": event_type, "track_id": track_id, "occurred_at": at.isoformat(), **more}


def _land_wishes(landing: Path) -> None:
    """Blocks, dislikes, private sessions, deletions, overrides, rare tracks and people, on top of the small world."""
    land_small_world(landing)
    events = [
        _event("u000", "block_artist", artist_id="a0003"),
        _event("u001", "block_artist", "t0004"),  # stands on a track: its first credit is meant
        _event("u002", "block_track", "t0014"),  # which has a second edition
        _event("u003", "dislike", "t0021r"),
        *(_event("u004", "play", f"t{number:04d}", ms_played=170_000, is_private=True) for number in range(1, 300, 3)),
        *(_event("u006", "skip", f"t{number:04d}", ms_played=4_000, reason_end="fwdbtn") for number in range(0, 90, 3)),
        _event("u006", "play", "t0090", MIDNIGHT - 183 * DAY, ms_played=4_000, reason_end="fwdbtn"),  # cooled down
        _event("u007", "play", "t0001", ms_played=29_999),  # sampled
        _event("u007", "play", "t0007", ms_played=30_000),  # heard, one edition of two
        _event("u008", "save", "t0002"),
        _event("u008", "unsave", "t0002", MIDNIGHT - DAY / 2),
        _event("u009", "save", "duet", at=MIDNIGHT),  # not known yet
        {**_event("u009", "save", "early"), "occurred_at": "2026-11-23T01:30:00+02:00"},  # known: half an hour before
        _event("only_events", "like", "t0030"),
        _event("only_events", "playlist_add", "t0033"),
        _event("only_a_block", "block_artist", artist_id="a0006"),
        _event("only_pending", "play", "not-landed"),
        _event("gone", "play", "t0003"),
        _event("u005", "like", "t0008"),
        {**_event("nobody", "play", "t0003"), "user_id": None},
        {**_event("u010", "hum", "t0003")},
        {**_event("u010", "play", "t0006"), "ms_played": -5},
        {**_event("u010", "play", "t0009"), "occurred_at": "soon"},
    ]
    path = landing / "events" / "wishes.ndjson"
    path.write_text("\n".join(json.dumps(event) for event in events) + "\n")
    _land_people(landing)
    _land_rarities(landing)


def _land_people(landing: Path) -> None:
    land(
        landing,
        "deletions/d.parquet",
        [{"user_id": user_id, "requested_at": MIDNIGHT + 3 * DAY} for user_id in ("u005", "gone")],
    )
    land(
        landing,
        "play_counts/c.parquet",
        [
            *({"user_id": "only_counts", "track_id": f"t{number:04d}", "play_count": 4} for number in range(0, 60, 3)),
            {"user_id": "counted_nothing", "track_id": "t0000", "play_count": 0},
        ],
    )
    land(
        landing,
        "users/more.parquet",
        [
            {
                "user_id": "auckland",
                "market": "de",
                "timezone": "Pacific/Auckland",
                "allow_explicit": False,
                "registered_at": None,
            },
            {
                "user_id": "mars",
                "market": None,
                "timezone": "Mars/Olympus_Mons",
                "allow_explicit": None,
                "registered_at": None,
            },
            {"user_id": "coming", "market": "DE", "timezone": None, "allow_explicit": None, "registered_at": MIDNIGHT},
        ],
    )


def _land_rarities(landing: Path) -> None:
    base = {
        "artist_name": "Guests",
        "album_id": None,
        "duration_ms": 200_000,
        "released_on": dt.date(2026, 11, 20),
        "artist_ids": None,
        "available_from": None,
        "markets": None,
    }
    land(
        landing,
        "tracks/rare.parquet",
        [
            {
                **base,
                "track_id": "duet",
                "title": "Duet",
                "artist_id": "a0900",
                "artist_ids": ["a0900", "a0003", "a0004"],
            },
            {
                **base,
                "track_id": "early",
                "title": "Early",
                "artist_id": "a0901",
                "released_on": dt.date(2026, 12, 24),
                "available_from": MIDNIGHT - DAY,
            },
            {**base, "track_id": "late", "title": "Late", "artist_id": "a0901", "available_from": MIDNIGHT},
            {**base, "track_id": "at_home", "title": "At home", "artist_id": "a0902", "markets": ["de "]},
        ],
    )
    moments = {"valid_from": MIDNIGHT - DAY, "valid_to": None}
    land(
        landing,
        "overrides/o.parquet",
        [
            {"track_id": "t0012", "artist_id": None, "action": "takedown", **moments},
            {"track_id": None, "artist_id": "a0009", "action": "embargo", **moments},
            {"track_id": "t0015", "artist_id": None, "action": "takedown", "valid_from": None, "valid_to": MIDNIGHT},
            {
                "track_id": "t0018",
                "artist_id": None,
                "action": "takedown",
                "valid_from": MIDNIGHT + DAY,
                "valid_to": None,
            },
            {"track_id": "t0015", "artist_id": None, "action": "boost", **moments},
        ],
    )


def _land_demo(landing: Path) -> None:
    write_world(
        landing,
        landing.parent / "truth",
        WorldSize(listeners=150, tracks=1200, weeks=1, last_week=MONDAY, sound=False),
        WorldParams(),
        seed=3,
    )


def _land_tiny_catalogue(landing: Path) -> None:
    """45 tracks by four artists on seven albums, five of them in a second edition; listeners who heard 0 to 27 of them.

    Artist a0 has 20 of them: in a list of thirty without the others' heard ones, neighbours can't be avoided.
    """
    artists = [0] * 20 + [1] * 12 + [2] * 8 + [3] * 5
    tracks = [
        {
            "track_id": f"t{number:02d}",
            "title": f"Song {number}",
            "artist_id": f"a{artist}",
            "artist_name": f"Artist {artist}",
            "album_id": None if number % 9 == 0 else f"b{artist}{number % 2}",
            "duration_ms": 180_000 + 5_000 * number,
            "released_on": dt.date(2020, 1, 1),
            "explicit": number % 15 == 0,
        }
        for number, artist in enumerate(artists)
    ]
    tracks += [
        {**track, "track_id": f"{track['track_id']}x", "title": f"{track['title']} - Remastered 2024"}
        for track in tracks[::9]
    ]
    land(landing, "tracks/tracks.parquet", tracks)
    land(
        landing,
        "users/users.parquet",
        [{"user_id": f"u{number:02d}", "allow_explicit": number % 2 == 0} for number in range(28)],
    )
    land(
        landing,
        "events/history.parquet",
        [
            {
                "user_id": f"u{number:02d}",
                "track_id": f"t{(44 - place if number % 3 else 7 * place) % 45:02d}",
                "event_type": "play",
                "occurred_at": MIDNIGHT - (place + 1) * DAY,
                "ms_played": 170_000,
            }
            for number in range(28)
            for place in range(number)
        ],
    )


WORLDS: dict[str, Callable[[Path], None]] = {"wishes": _land_wishes, "demo": _land_demo, "tiny": _land_tiny_catalogue}


def _run(root: Path, land_world: Callable[[Path], None]) -> World:
    home = Home(root)
    home.prepare()
    land_world(home.landing)
    assert run_week(home, MONDAY)
    return World(read_landed(home.landing, MONDAY), read_published(home.published, MONDAY))


@pytest.fixture(scope="module")
def world_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], World]:
    """Worlds by name; each is run once."""
    return cache(lambda name: _run(tmp_path_factory.mktemp(name), WORLDS[name]))


@pytest.fixture
def world(request: pytest.FixtureRequest, world_of: Callable[[str], World]) -> World:
    return world_of(request.param)


@pytest.mark.parametrize("name", GUARANTEES)
@pytest.mark.parametrize("world", WORLDS, indirect=True)
def test_the_guarantee_holds_for_every_row(world: World, name: str) -> None:
    assert breaches(name, world.landed, world.published) == []


@pytest.mark.parametrize("world", ["wishes"], indirect=True)
def test_what_is_wished_for_is_known_by_the_monday(world: World) -> None:
    landed = world.landed
    people = {"auckland", "mars", "only_counts", "only_events", "only_a_block", "counted_nothing"}
    assert set(landed.listeners) == {f"u{number:03d}" for number in range(40) if number != 5} | people
    assert set(landed.tracks) & {"duet", "early", "late", "at_home"} == {"duet", "early", "at_home"}
    assert landed.heard["u009"] & {"duet", "early"} == {"early"}
    assert {row["status"] for row in world.published.playlists} == {"complete"}


@pytest.mark.parametrize("world", ["tiny"], indirect=True)
def test_in_a_tiny_catalogue_every_soft_rule_gives_way_for_someone(world: World) -> None:
    gave_way = Counter(row["rule_id"] for row in world.published.relaxations)
    assert set(gave_way) == {"new_artist_share", "tracks_per_album", "tracks_per_artist", "too_few_tracks"}
    assert len(world.published.playlists) + gave_way["too_few_tracks"] == len(world.landed.listeners) == 28


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Blue Lines", "Blue Lines (Remastered 2012)"),
        ("Blue Lines", "BLUE LINES - Deluxe Edition"),
        ("Déjà Vu", "Deja vu"),
        ("Home [feat. Somebody]", "Home"),
        ("???", "???"),
    ],
)
def test_titles_of_editions_are_one(one: str, other: str) -> None:
    assert bare_title(one) == bare_title(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Blue Lines", "Blue Lines (Live)"),
        ("Blue Lines", "Blue Lines - Acoustic Version"),
        ("Part 1", "Part 2"),
        ("???", "!!!"),
    ],
)
def test_titles_of_other_performances_stay_apart(one: str, other: str) -> None:
    assert bare_title(one) != bare_title(other)


def _copied(world: World) -> tuple[Landed, Published]:
    """What a change may touch, copied."""
    acts = defaultdict(set, {key: set(tracks) for key, tracks in world.landed.acts.items()})
    landed = dataclasses.replace(world.landed, acts=acts, listeners=dict(world.landed.listeners))
    tables = dataclasses.asdict(world.published)
    return landed, Published(**tables)


@pytest.mark.parametrize(("name", "change"), [(name, change) for name in CHANGES for change in CHANGES[name]])
@pytest.mark.parametrize("world", ["wishes"], indirect=True)
def test_a_breach_is_caught(world: World, name: str, change: str) -> None:
    landed, published = _copied(world)
    assert not breaches(name, landed, published)
    CHANGES[name][change](landed, published)
    vars(published).pop("lists", None)
    assert breaches(name, landed, published)


def test_every_guarantee_is_seen_to_fail() -> None:
    assert set(CHANGES) == set(GUARANTEES)
