with tracks as (

    select * from {{ ref('int_known_tracks') }}

),

track_recordings as (

    select * from {{ ref('int_recordings') }}

),

artists as (

    select * from {{ ref('artists') }}

),

overrides as (

    select * from {{ ref('int_overrides') }}

),

heard as (

    select
        track_index,
        count(*) as listener_count
    from {{ ref('int_heard') }}
    group by track_index

),

albums as (

    select
        album_id,
        cast(row_number() over (order by album_id) - 1 as integer) as album_index
    from (select distinct album_id from tracks where album_id is not null) as distinct_albums

),

credits as (

    select
        track_artists.track_id,
        list(artists.artist_index order by artists.artist_index) as artist_indexes
    from (select track_id, unnest(artist_ids) as artist_id from tracks) as track_artists
    inner join artists on track_artists.artist_id = artists.artist_id
    group by track_artists.track_id

),

joined as (

    select
        track_recordings.recording_index,
        tracks.*,
        artists.artist_index,
        credits.artist_indexes,
        coalesce(albums.album_index, -1) as album_index,
        overrides.unavailable_rule,
        coalesce(heard.listener_count, 0) as listener_count
    from tracks
    inner join track_recordings on tracks.track_id = track_recordings.track_id
    inner join artists on tracks.artist_id = artists.artist_id
    inner join credits on tracks.track_id = credits.track_id
    left join albums on tracks.album_id = albums.album_id
    left join overrides on tracks.track_id = overrides.track_id
    left join heard on tracks.track_index = heard.track_index

),

final as (

    select
        cast(row_number() over (
            order by recording_index asc, listener_count desc, released_on asc nulls last, track_id asc
        ) - 1 as integer) as edition_index,
        recording_index,
        track_id,
        title,
        artist_index,
        artist_indexes,
        album_index,
        explicit,
        markets,
        unavailable_rule,
        artist_id,
        artist_ids,
        artist_name,
        album_id,
        album_title,
        duration_ms,
        released_on,
        genres
    from joined

)

select
    edition_index,
    recording_index,
    track_id,
    title,
    artist_index,
    artist_indexes,
    album_index,
    explicit,
    markets,
    unavailable_rule,
    artist_id,
    artist_ids,
    artist_name,
    album_id,
    album_title,
    duration_ms,
    released_on,
    genres
from final
order by edition_index
