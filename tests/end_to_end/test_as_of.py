"""As-of: what is dated on or after a Monday changes not one byte of it, and running again changes nothing."""

import datetime as dt
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.cli_run import run_week
from dagster_project.home import Home
from dagster_project.lake import Lake
from tests.played import PUBLISHED, played, prepare
from tests.published import fingerprint, query
from tests.worlds import land

MONDAY = PUBLISHED.week
NEXT = MONDAY + dt.timedelta(weeks=1)


def land_the_future(landing: Path, monday: dt.date) -> None:
    """Events, counts, playlists, tracks and users dated on or after the Monday: in new files and in existing ones."""
    at = dt.datetime.combine(monday, dt.time())
    events = landing / "events" / "history.parquet"
    before = pq.read_table(events)
    later = [
        {
            "event_id": f"late{number}",
            "user_id": f"u{number % 12:03d}",
            "track_id": f"t{number:04d}",
            "event_type": ("play", "save", "block_track", "dislike")[number % 4],
            "occurred_at": at + dt.timedelta(minutes=number),
            "ms_played": 170_000,
            "reason_end": "trackdone",
            "context_type": "search",
        }
        for number in range(60)
    ]
    # A copy of an event from before, with a later moment: the first stays, whatever comes with its id.
    later.append({**before.slice(0, 1).to_pylist()[0], "occurred_at": at, "track_id": "t0001"})
    additions = pa.Table.from_pylist(later, schema=before.schema)
    pq.write_table(pa.concat_tables([additions, before]), events)  # before the old rows, in the same file
    land(landing, "events/a_later_week.parquet", [{**row, "event_id": "x" + str(row["event_id"])} for row in later])
    _land_later_rows(landing, monday, at)


def _land_later_rows(landing: Path, monday: dt.date, at: dt.datetime) -> None:
    """Counts, users, tracks, playlists and subscriptions of the Monday or later."""
    land(
        landing,
        "play_counts/later.parquet",
        [{"user_id": "u001", "track_id": "t0002", "play_count": 50, "observed_at": at}],
    )
    land(
        landing,
        "users/later.parquet",
        [
            {"user_id": "u_new", "market": "DE", "registered_at": at},
            {"user_id": "u001", "market": "FR", "registered_at": at},  # a later version of a known listener
        ],
    )
    land(
        landing,
        "tracks/later.parquet",
        [
            {
                "track_id": "t_new",
                "title": "Jazz 0",
                "artist_id": "a0000",
                "artist_name": "Artist 0",
                "duration_ms": 180_000,
                "released_on": monday,
                "available_from": None,
            },
            {
                "track_id": "t_soon",
                "title": "Jazz 999",
                "artist_id": "a9999",
                "artist_name": "Artist 9999",
                "duration_ms": 180_000,
                "released_on": dt.date(2001, 1, 1),
                "available_from": at,
            },
        ],
    )
    land(landing, "playlists/later.parquet", [{"playlist_id": "p", "title": "later", "updated_at": at}])
    land(landing, "playlist_tracks/later.parquet", [{"playlist_id": "p", "track_id": "t0001", "added_at": at}])
    land(landing, "subscriptions/later.parquet", [{"user_id": "u_sub", "event": "trial", "occurred_at": at}])
    given = {"program_id": "q", "week": monday, "user_id": "u000", "position": 1, "track_id": "t0001"}
    land(landing, "external_playlists/later.parquet", [given])
    # What holds from the Monday's first moment on holds for its lists.
    later = at + dt.timedelta(minutes=1)
    land(landing, "overrides/later.parquet", [{"track_id": "t0001", "action": "takedown", "valid_from": later}])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return played(PUBLISHED, tmp_path_factory, tmp_path_factory.mktemp("as_of") / "home")[0]


@pytest.fixture(scope="module")
def known_before(home: Home) -> dict[str, str]:
    return fingerprint(home.root, MONDAY)


def test_later_data_leaves_every_published_row_of_the_week_as_it_was(
    home: Home,
    known_before: dict[str, str],
    tmp_path: Path,
) -> None:
    other = Home(tmp_path)
    prepare(PUBLISHED, other)
    land_the_future(other.landing, MONDAY)
    assert run_week(other, MONDAY)
    assert query(other.root, "select count(*) from weekly_playlists") == [(40,)]
    assert fingerprint(other.root, MONDAY) == known_before
    assert _kept_to_learn_from(other) == _kept_to_learn_from(home)


def _kept_to_learn_from(home: Home) -> str:
    """Hash of the features of the Monday's candidates."""
    assert Lake(home.lake).row_count("ml/ranking_features", MONDAY) > 0
    return Lake(home.lake).content_hash("ml/ranking_features", MONDAY)


def test_the_week_after_leaves_the_week_as_it_was(home: Home, known_before: dict[str, str]) -> None:
    land_the_future(home.landing, MONDAY)
    assert run_week(home, NEXT)
    assert fingerprint(home.root, MONDAY) == known_before
    assert query(home.root, "select count(*) from weekly_playlists where week = ?", NEXT) == [(41,)]
    repeated = query(
        home.root,
        "select count(*) from weekly_playlist_tracks now join weekly_playlist_tracks before "
        "using (user_id, recording_id) where now.week = ? and before.week = ?",
        NEXT,
        MONDAY,
    )
    assert repeated == [(0,)], "delivered last week, so it cools down for four"


def test_what_a_week_learns_from_ends_before_it(home: Home, tmp_path: Path) -> None:
    lake, other = Lake(home.lake), Home(tmp_path / "home")
    assert lake.row_count("features/ranking_examples", NEXT) > 0
    shutil.copytree(home.root, other.root)
    land_the_future(other.landing, NEXT)
    assert run_week(other, NEXT, refresh_inputs=True)
    learnt_from = [each.content_hash("features/ranking_examples", NEXT) for each in (lake, Lake(other.lake))]
    assert learnt_from[0] == learnt_from[1]


def test_the_week_again_is_as_it_was_and_a_file_that_comes_late_is_read_when_asked_for(
    home: Home, known_before: dict[str, str]
) -> None:
    next_week = fingerprint(home.root, NEXT)
    land(
        home.landing,
        "events/zz_late.parquet",
        [
            {
                "event_id": f"z{number}",
                "user_id": "u000",
                "track_id": f"t{number:04d}",
                "event_type": "play",
                "occurred_at": dt.datetime.combine(MONDAY, dt.time()) - dt.timedelta(days=3),
                "ms_played": 170_000,
            }
            for number in range(0, 90, 3)
        ],
    )
    # With the next week committed, its files in landing and a late one beside them: the fixed list of files holds.
    assert run_week(home, MONDAY)
    assert fingerprint(home.root, MONDAY) == known_before
    assert fingerprint(home.root, NEXT) == next_week
    assert run_week(home, MONDAY, refresh_inputs=True)
    assert fingerprint(home.root, MONDAY) != known_before
    heard = query(
        home.root,
        "select count(*) from weekly_playlist_tracks where user_id = 'u000' and week = ? "
        "and track_id in (select 't' || lpad((3 * i)::varchar, 4, '0') from range(30) as r(i))",
        MONDAY,
    )
    assert heard == [(0,)]
