-- A block of an artist names one, or stands on a track: then its first credit is meant.

with events as (

    select
        user_id,
        coalesce(artist_id, '') as artist_id,
        coalesce(track_id, '') as track_id
    from {{ ref('stg_events') }}
    where
        status = 'usable'
        and event_type = 'block_artist'
        and occurred_at < {{ week() }}
        and not coalesce(is_private, false)

),

tracks as (

    select
        track_id,
        artist_id
    from {{ ref('int_known_tracks') }}

),

final as (

    select distinct
        events.user_id,
        coalesce(nullif(events.artist_id, ''), tracks.artist_id) as artist_id
    from events
    left join tracks on events.track_id = tracks.track_id

)

select
    user_id,
    artist_id
from final
where artist_id is not null
