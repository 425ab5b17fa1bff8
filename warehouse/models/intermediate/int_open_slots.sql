{{ config(materialized='table') }}

-- Slots of the lists that can still change: those whose days had not all passed at the run before, wherever the
-- listener lives. Where every Monday is run, that is the five weeks before this one; after a gap it is more.

with committed as (

    select committed_week
    from {{ ref('stg_committed_weeks') }}

),

open_weeks as (

    select committed_week
    from committed
    where
        committed_week
        >= (select max(committed_week) from committed) - interval ({{ outcome_window_days() }}) day

),

slots as (

    select
        week,
        user_id,
        position,
        track_id,
        segment,
        arm_id,
        reason_code,
        p_complete
    from {{ ref('stg_recommendation_history') }}
    where program_id = '{{ var("program_id") }}'

),

lists as (

    select
        week,
        user_id,
        available_at,
        variant_id
    from {{ ref('stg_playlist_history') }}
    where program_id = '{{ var("program_id") }}'

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('int_listeners') }}

),

tracks as (

    select
        editions.track_id,
        known_tracks.track_index,
        editions.recording_index,
        editions.artist_index
    from {{ ref('editions') }} as editions
    inner join {{ ref('int_known_tracks') }} as known_tracks on editions.track_id = known_tracks.track_id

),

final as (

    select
        listeners.user_index,
        slots.week as list_week,
        slots.position,
        tracks.track_index,
        tracks.recording_index,
        tracks.artist_index,
        slots.segment,
        slots.arm_id,
        lists.variant_id,
        slots.reason_code,
        slots.p_complete,
        lists.available_at,
        lists.available_at + interval ({{ outcome_window_days() }}) day as closes_at
    from slots
    inner join open_weeks on slots.week = open_weeks.committed_week
    inner join lists on slots.week = lists.week and slots.user_id = lists.user_id
    inner join listeners on slots.user_id = listeners.user_id
    left join tracks on slots.track_id = tracks.track_id

)

select * from final
