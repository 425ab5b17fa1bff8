"""Recordings that are called otherwise than a week before: the catalogue lands again, this time with ISRCs."""

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dagster_project.home import Home
from tests.published import query
from tests.two_mondays import BEFORE, TwoMondays, two_mondays
from tests.worlds import MONDAY, land

# What says nothing of a recording but by its place in the order of names, which ISRCs by number leave as it was.
BY_PLACE = ("ranking_examples", "slot_outcomes")


@pytest.fixture(scope="module")
def as_it_was(tmp_path_factory: pytest.TempPathFactory) -> TwoMondays:
    """Two Mondays on one catalogue."""
    return two_mondays(tmp_path_factory, tmp_path_factory.mktemp("as_it_was") / "home", _keep_the_first_of_the_list)


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> TwoMondays:
    """The same, and in between the catalogue landed again with an ISRC for every recording."""
    return two_mondays(tmp_path_factory, tmp_path_factory.mktemp("renamed") / "home", _keep_and_rename)


def _keep_and_rename(home: Home) -> None:
    _keep_the_first_of_the_list(home)
    tracks = pq.read_table(home.landing / "tracks/tracks.parquet")
    # Of both editions of one: a track's id is t and a number, and r for a remaster.
    isrc = pc.utf8_slice_codeunits(tracks["track_id"], 0, 5)
    land(home.landing, "tracks/with_isrc.parquet", tracks.append_column("isrc", isrc))


def _keep_the_first_of_the_list(home: Home) -> None:
    """u001 finds the first track of their list by searching, and saves it; u000 hears theirs in the list to the end."""
    rows = query(
        home.root,
        "select user_id, playlist_id, track_id from weekly_playlist_tracks "
        "where week = ? and position = 1 and user_id in ('u000', 'u001') order by user_id",
        BEFORE,
    )
    land(
        home.landing,
        "events/feedback.parquet",
        [
            {
                "user_id": user,
                "track_id": track,
                "event_type": "play" if user == "u000" else "save",
                "occurred_at": dt.datetime.combine(BEFORE, dt.time(12)),
                "ms_played": 200_000,
                "reason_end": "trackdone",
                "context_type": "playlist" if user == "u000" else "search",
                "context_id": playlist if user == "u000" else None,
            }
            for user, playlist, track in rows
        ],
    )


def _names(ran: TwoMondays, week: dt.date) -> list[str]:
    names: list[str] = ran.lake.read_week("features/recordings", week)["recording_id"].to_pylist()
    return names


def test_every_recording_has_another_name_and_none_has_another_place(
    as_it_was: TwoMondays, renamed: TwoMondays
) -> None:
    before, now = _names(renamed, BEFORE), _names(renamed, MONDAY)
    assert before == _names(as_it_was, MONDAY)
    assert [name.removeprefix("track:") for name in before] == [name.removeprefix("isrc:").lower() for name in now]


def test_a_kept_hit_stays_a_hit(as_it_was: TwoMondays, renamed: TwoMondays) -> None:
    truth = renamed.lake.read_week("features/evaluation_truth", MONDAY)
    kept = truth.filter(pc.and_(truth["kept"], pc.equal(truth["user_id"], "u001")))["recording_id"].to_pylist()
    (given,) = query(
        renamed.home.root,
        "select recording_id from weekly_playlist_tracks where week = ? and position = 1 and user_id = 'u001'",
        BEFORE,
    )[0]
    assert given in kept
    assert truth.equals(as_it_was.lake.read_week("features/evaluation_truth", MONDAY))


@pytest.mark.parametrize("table", ["evaluation_metrics", "evaluation_comparisons"])
def test_every_score_is_what_it_was(as_it_was: TwoMondays, renamed: TwoMondays, table: str) -> None:
    scored = renamed.lake.read_week(f"ml/{table}", MONDAY)
    assert scored.num_rows > 0
    assert scored.equals(as_it_was.lake.read_week(f"ml/{table}", MONDAY))


@pytest.mark.parametrize("table", BY_PLACE)
def test_nothing_that_was_learnt_from_a_list_is_lost(as_it_was: TwoMondays, renamed: TwoMondays, table: str) -> None:
    known: pa.Table = renamed.lake.read_week(f"features/{table}", MONDAY)
    assert known.num_rows > 0
    assert known.equals(as_it_was.lake.read_week(f"features/{table}", MONDAY))


def test_every_recording_stood_on_a_rung_the_week_before(as_it_was: TwoMondays, renamed: TwoMondays) -> None:
    by_track = ["track_id", "rung", "previous_rung", "liked_by", "is_promoted"]
    rungs = renamed.lake.read_week("marts/track_rungs", MONDAY, by_track)
    assert rungs.num_rows > 0
    assert rungs["previous_rung"].null_count == 0
    assert rungs.equals(as_it_was.lake.read_week("marts/track_rungs", MONDAY, by_track))
