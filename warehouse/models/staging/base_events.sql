-- Typed events of the week's files, by the number the week gives each file.

with landed_events as (

    select * from {{ ref('base_landed_events') }}

),

files as (

    {{ event_files() }}

),

final as (

    select
        files.file_number,
        landed_events._row,
        landed_events.user_id,
        landed_events.event_type,
        landed_events.occurred_at,
        landed_events.track_id,
        landed_events.artist_id,
        landed_events.ms_played,
        landed_events.reason_end,
        landed_events.is_private,
        landed_events.context_type,
        landed_events.is_in_own_playlist,
        landed_events.list_week,
        landed_events.quarantine_reason,
        landed_events.dedupe_key
    from landed_events
    inner join files on landed_events.file_key = files.file_key

)

select * from final
