"""Real data as landing files, for tests and benchmarks that run on something nobody here invented.

Belongs here: finding the shared data, and writing it in the shape of the landing contract.
Does not: the data itself, which is in no repository; tests skip with a reason where it is absent.
"""

from pathlib import Path

import duckdb
import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# Last.fm took tags from 2005 on, and the copy was made in May 2011: other years are mistakes of the source.
_FIRST_TAG_YEAR = 2005
_LAST_TAG_YEAR = 2011

_PLAYLIST_ARCHIVE = {
    "users": """
        select playlist_id as user_id, cast(min(added_on) as timestamp) as registered_at
        from '{source}/entries.parquet'
        group by playlist_id
        order by user_id
    """,
    "events": """
        select playlist_id as user_id, 'playlist_add' as event_type,
            cast(added_on as timestamp) as occurred_at, track_id, 'playlist_archive' as source
        from '{source}/entries.parquet'
        union all
        select playlist_id, 'playlist_remove', cast(removed_on as timestamp), track_id, 'playlist_archive'
        from '{source}/entries.parquet'
        where removed_on is not null
        order by occurred_at, user_id, track_id, event_type
    """,
    "tracks": """
        select track_id, title, artist_ids[1] as artist_id, artist_names[1] as artist_name, artist_ids,
            album_id, album_title, duration_ms
        from '{source}/tracks.parquet'
        order by track_id
    """,
    "playlists": """
        select playlists.playlist_id, title, description, playlists.playlist_id as owner_id,
            (
                select cast(min(added_on) as timestamp) from '{source}/entries.parquet' as entries
                where entries.playlist_id = playlists.playlist_id
            ) as updated_at
        from '{source}/playlists.parquet' as playlists
        order by playlists.playlist_id
    """,
    "playlist_tracks": """
        select playlist_id, track_id, cast(added_on as timestamp) as added_at
        from '{source}/entries.parquet'
        order by added_at, playlist_id, track_id
    """,
}

_LASTFM_2K = {
    "users": """
        select distinct cast(user_id as varchar) as user_id
        from '{source}/user_artists.parquet'
        order by user_id
    """,
    "play_counts": """
        select cast(user_id as varchar) as user_id, cast(artist_id as varchar) as track_id, play_count
        from '{source}/user_artists.parquet'
        order by user_id, track_id
    """,
    "tracks": """
        select cast(artist_id as varchar) as track_id, name as title, cast(artist_id as varchar) as artist_id,
            name as artist_name
        from '{source}/artists.parquet'
        order by track_id
    """,
    "track_tags": """
        select cast(artist_id as varchar) as track_id, tag, cast(user_id as varchar) as user_id,
            case
                when year between {first_tag_year} and {last_tag_year}
                    then try_cast(format('{{:04d}}-{{:02d}}-{{:02d}}', year, month, day) as timestamp)
            end as tagged_at
        from '{source}/user_tagged_artists.parquet' as taggings
        inner join '{source}/tags.parquet' as tags on taggings.tag_id = tags.tag_id
        order by track_id, user_id, tag, tagged_at
    """,
}


def shared_data(name: str) -> Path:
    """Folder of the shared data set `name`; skips the test that asks where it is absent."""
    folder = SHARED_DATA / name
    if not folder.is_dir():
        pytest.skip(f"needs the shared data {name}, which isn't at {folder}")
    return folder


def land_playlist_archive(source: Path, landing: Path) -> None:
    """250 editorial playlists as listeners: what they added and removed, day by day, with their titles.

    A playlist registers on its first day; titles are known from that day on.
    """
    _land(_PLAYLIST_ARCHIVE, source, landing)


def land_lastfm_2k(source: Path, landing: Path) -> None:
    """Last.fm 2K with artists in the place of tracks: totals without dates, and tags.

    Some artists with counts have no name: they don't land, and their counts stay pending.
    """
    _land(_LASTFM_2K, source, landing)


def _land(queries: dict[str, str], source: Path, landing: Path) -> None:
    """One Parquet file a dataset; sorted, so that the same data gives the same bytes."""
    with duckdb.connect() as connection:
        for dataset, query in queries.items():
            target = landing / dataset / f"{source.name}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            filled = query.format(source=source, first_tag_year=_FIRST_TAG_YEAR, last_tag_year=_LAST_TAG_YEAR)
            connection.execute(f"copy ({filled}) to '{target}' (format parquet, compression zstd)")
