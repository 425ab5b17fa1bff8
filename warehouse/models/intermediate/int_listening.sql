{{ config(materialized='table') }}

-- The as-of cut for events: before the Monday, usable, of a known track and listener, not private.

with events as (

    select * from {{ ref('stg_events') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('int_listeners') }}

),

tracks as (

    select
        tracks.track_id,
        tracks.duration_ms,
        recordings.track_index,
        recordings.recording_index
    from {{ ref('int_known_tracks') }} as tracks
    inner join {{ ref('int_recordings') }} as recordings on tracks.track_id = recordings.track_id

),

end_reasons as (

    select * from {{ ref('end_reasons') }}

),

context_classes as (

    select * from {{ ref('context_classes') }}

),

known as (

    select
        listeners.user_index,
        tracks.track_index,
        tracks.recording_index,
        events.event_type,
        events.occurred_at,
        events.ms_played,
        events.list_week,
        tracks.duration_ms,
        end_reasons.end_class,
        events.file_number,
        events._row,
        case
            when events.is_in_own_playlist then 'own_playlist'
            else coalesce(context_classes.context_class, 'chosen')
        end as context_class
    from events
    inner join listeners on events.user_id = listeners.user_id
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
        user_index,
        track_index,
        recording_index,
        event_type,
        occurred_at,
        cast(occurred_at as date) as occurred_on,
        context_class,
        list_week,
        ms_played,
        file_number,
        _row,
        event_type in ('play', 'skip') as is_listening,
        {{ is_skip('event_type', 'end_class', 'ms_played', 'duration_ms') }} as is_skip,
        {{ is_hearing('event_type', 'ms_played', 'duration_ms') }} as is_hearing,
        {{ completion_thousandths('ms_played', 'duration_ms') }} as completion_thousandths
    from known

)

select * from final
