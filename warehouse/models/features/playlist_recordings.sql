with entries as (

    select
        playlist_id,
        track_id,
        position,
        added_at
    from {{ ref('stg_playlist_tracks') }}
    where status = 'usable' and {{ is_known('added_at') }}

),

playlists as (

    select
        playlist_index,
        playlist_id
    from {{ ref('int_playlists') }}

),

recordings as (

    select
        track_id,
        recording_index
    from {{ ref('int_recordings') }}

),

-- A recording stands where its first entry does; lists without positions are in the order of their adding.
firsts as (

    select
        playlists.playlist_index,
        recordings.recording_index,
        min(entries.position) as position,
        min(entries.added_at) as added_at
    from entries
    inner join playlists on entries.playlist_id = playlists.playlist_id
    inner join recordings on entries.track_id = recordings.track_id
    group by playlists.playlist_index, recordings.recording_index

),

final as (

    select
        playlist_index,
        recording_index,
        cast(row_number() over (
            partition by playlist_index
            order by position asc nulls last, added_at asc nulls last, recording_index asc
        ) as integer) as place
    from firsts

)

select
    playlist_index,
    place,
    recording_index
from final
order by playlist_index, place
