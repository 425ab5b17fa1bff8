{{ config(materialized='table') }}

-- The as-of cut for events: before the Monday, usable, of a known track, not private.

with events as (

    select * from {{ ref('stg_events') }}

),

recordings as (

    select * from {{ ref('int_recordings') }}

),

tracks as (

    select
        track_id,
        duration_ms
    from {{ ref('int_known_tracks') }}

),

end_reasons as (

    select * from {{ ref('end_reasons') }}

),

context_classes as (

    select * from {{ ref('context_classes') }}

),

known as (

    select
        events.user_id,
        events.track_id,
        recordings.recording_id,
        events.event_type,
        events.occurred_at,
        cast(events.occurred_at as date) as occurred_on,
        events.session_id,
        events.ms_played,
        tracks.duration_ms,
        end_reasons.end_class,
        events.landed_path,
        events._row,
        case
            when regexp_matches(events.context_id, '^[a-z0-9_-]+:[0-9]{4}-[0-9]{2}-[0-9]{2}:') then 'own_playlist'
            else coalesce(context_classes.context_class, 'chosen')
        end as context_class
    from events
    inner join recordings on events.track_id = recordings.track_id
    inner join tracks on events.track_id = tracks.track_id
    left join end_reasons on lower(events.reason_end) = end_reasons.reason_end
    left join context_classes on lower(events.context_type) = context_classes.context_type
    where
        events.status = 'usable'
        and events.occurred_at < {{ week() }}
        and not coalesce(events.is_private, false)

),

final as (

    select
        user_id,
        track_id,
        recording_id,
        event_type,
        occurred_at,
        occurred_on,
        session_id,
        context_class,
        ms_played,
        landed_path,
        _row,
        event_type in ('play', 'skip') as is_listening,
        {{ is_skip('event_type', 'end_class', 'ms_played', 'duration_ms') }} as is_skip,
        {{ is_hearing('event_type', 'ms_played', 'duration_ms') }} as is_hearing,
        {{ completion_thousandths('ms_played', 'duration_ms') }} as completion_thousandths
    from known

)

select * from final
