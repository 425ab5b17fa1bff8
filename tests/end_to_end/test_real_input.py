"""Real input: what nobody here invented runs through, and what comes out makes sense."""

import datetime as dt

import pytest

from dagster_project.cli_run import run_week
from dagster_project.home import Home
from tests.published import query
from tests.real_data import land_lastfm_2k, land_playlist_archive, shared_data

ARCHIVE_MONDAY = dt.date(2021, 3, 1)

# The thirty most popular tracks that each playlist had not held before the Monday.
POPULAR_LISTS = f"""
    before as (
        select distinct playlist_id as user_id, track_id from '{{source}}/entries.parquet'
        where added_on < date '{ARCHIVE_MONDAY}'
    ),
    popular as (
        select track_id, count(*) as holders from before group by track_id order by holders desc, track_id limit 400
    ),
    popular_lists as (
        select user_id, track_id
        from (select distinct user_id from before) as listeners, popular
        where (user_id, track_id) not in (select (user_id, track_id) from before)
        qualify row_number() over (partition by user_id order by holders desc, track_id) <= 30
    )"""


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
    assert begun == 177


def test_a_jazz_playlist_gets_what_other_jazz_playlists_hold(archive: Home) -> None:
    """Of what a genre's playlists are given, the share that stands on another playlist of that genre, and by how much
    it passes what the most popular unheard tracks would reach.
    """
    source = shared_data("playlist_archive")
    ours, popular = query(
        archive.root,
        f"""
        with {POPULAR_LISTS.format(source=source)},
        named as (
            select playlists.playlist_id as user_id, genre
            from '{source}/playlists.parquet' as playlists,
                (values ('jazz'), ('metal'), ('country'), ('techno'), ('rock'), ('k-pop'), ('soul')) as genres (genre)
            where contains(lower(title || ' ' || coalesce(description, '')), genre)
        ),
        holds as (select distinct named.user_id, genre, track_id from before join named using (user_id)),
        given as (
            select 'ours' as list, user_id, track_id from weekly_playlist_tracks
            union all select 'popular', user_id, track_id from popular_lists
        ),
        judged as (
            select given.list, exists (
                select 1 from holds where holds.genre = named.genre and holds.track_id = given.track_id
                and holds.user_id <> given.user_id) as fits
            from given join named using (user_id)
        )
        select avg(fits::int) filter (where list = 'ours'), avg(fits::int) filter (where list = 'popular') from judged
        """,
    )[0]
    assert float(str(ours)) > 0.2, (ours, popular)
    assert float(str(ours)) > 20 * float(str(popular)), (ours, popular)


def test_the_lists_find_what_the_playlists_added_next(archive: Home) -> None:
    """Of 30 tracks out of 60,000, more are added within ten weeks than of the most popular unheard ones."""
    source = shared_data("playlist_archive")
    ours, popular = query(
        archive.root,
        f"""
        with {POPULAR_LISTS.format(source=source)},
        later as (
            select distinct playlist_id as user_id, track_id from '{source}/entries.parquet'
            where added_on >= date '{ARCHIVE_MONDAY}' and added_on < date '{ARCHIVE_MONDAY}' + interval 70 day
        )
        select
            (select count(*) from weekly_playlist_tracks join later using (user_id, track_id)),
            (select count(*) from popular_lists join later using (user_id, track_id))""",
    )[0]
    assert int(str(ours)) > 1.5 * int(str(popular)), (ours, popular)


def test_bare_totals_run_through(tmp_path_factory: pytest.TempPathFactory) -> None:
    source = shared_data("lastfm_2k")
    home = Home(tmp_path_factory.mktemp("lastfm"))
    land_lastfm_2k(source, home.landing)
    assert run_week(home, dt.date(2011, 6, 6))
    assert query(home.root, "select count(*), min(track_count) from weekly_playlists") == [(1892, 30)]
    heard = query(
        home.root,
        f"select count(*) from weekly_playlist_tracks as given join '{source}/user_artists.parquet' "
        "as heard on given.user_id = heard.user_id::varchar and given.track_id = heard.artist_id::varchar",
    )
    assert heard == [(0,)]
