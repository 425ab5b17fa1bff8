"""Real input: what nobody here invented runs through, and what comes out makes sense."""

import datetime as dt
import statistics

import pytest

from dagster_project.cli_run import run_week
from dagster_project.home import Home
from tests.published import query
from tests.real_data import land_lastfm_2k, land_playlist_archive, shared_data

ARCHIVE_MONDAY = dt.date(2021, 3, 1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Home:
    source = shared_data("playlist_archive")
    home = Home(tmp_path_factory.mktemp("archive"))
    land_playlist_archive(source, home.landing)
    assert run_week(home, ARCHIVE_MONDAY)
    return home


def test_every_archived_playlist_that_had_begun_gets_thirty_tracks(archive: Home) -> None:
    counts = query(archive.root, "select count(*), min(track_count), max(track_count) from weekly_playlists")
    begun = len(query(archive.root, "select distinct user_id from weekly_playlists"))
    assert counts == [(begun, 30, 30)]
    assert begun >= 200


def test_a_jazz_playlist_gets_what_other_jazz_playlists_hold(archive: Home) -> None:
    """Of the tracks recommended to a genre's playlists, most stand on another playlist of that genre by the end."""
    source = shared_data("playlist_archive")
    shares = {}
    for genre in ("jazz", "metal", "country", "classical"):
        shares[genre] = query(archive.root, f"""
            with named as (
                select playlist_id from '{source}/playlists.parquet'
                where regexp_matches(lower(title || ' ' || coalesce(description, '')), '\\b{genre}\\b')
            ),
            entries as (select * from '{source}/entries.parquet'),
            given as (select user_id, track_id from weekly_playlist_tracks
                      where user_id in (select playlist_id from named))
            select avg((track_id in (select e.track_id from entries as e join named on e.playlist_id = named.playlist_id
                                     where e.playlist_id <> given.user_id))::int), count(*)
            from given""")[0]
    found = {genre: share for genre, (share, count) in shares.items() if count}
    assert found
    assert statistics.mean(float(str(share)) for share in found.values()) > 0.5, shares


def test_the_lists_find_what_the_playlists_added_next(archive: Home) -> None:
    """Of 30 tracks out of 60,000, more are added within the next ten weeks than the most popular ones would be."""
    source = shared_data("playlist_archive")
    hits = query(archive.root, f"""
        with later as (
            select playlist_id as user_id, track_id from '{source}/entries.parquet'
            where added_on >= date '{ARCHIVE_MONDAY}' and added_on < date '{ARCHIVE_MONDAY}' + interval 70 day
        ),
        popular as (
            select track_id from '{source}/entries.parquet' where added_on < date '{ARCHIVE_MONDAY}'
            group by track_id order by count(distinct playlist_id) desc, track_id limit 30
        )
        select
            (select count(*) from weekly_playlist_tracks join later using (user_id, track_id)),
            (select count(*) from popular join later using (track_id))""")[0]
    assert hits[0] > hits[1], hits  # type: ignore[operator]


def test_bare_totals_run_through(tmp_path_factory: pytest.TempPathFactory) -> None:
    source = shared_data("lastfm_2k")
    home = Home(tmp_path_factory.mktemp("lastfm"))
    land_lastfm_2k(source, home.landing)
    assert run_week(home, dt.date(2011, 6, 6))
    assert query(home.root, "select count(*), min(track_count) from weekly_playlists") == [(1892, 30)]
    heard = query(home.root, f"select count(*) from weekly_playlist_tracks as given join '{source}/user_artists.parquet' "
                  "as heard on given.user_id = heard.user_id::varchar and given.track_id = heard.artist_id::varchar")
    assert heard == [(0,)]
