{{ config(materialized='table') }}

-- Every edition a listener has heard, and how: one play long enough, one act, one positive total.

with acts as (

    select
        user_index,
        track_index,
        recording_index,
        cast(is_listening as integer) as plays,
        event_type = 'save' as was_saved,
        event_type = 'playlist_add' as was_added,
        event_type = 'like' as was_liked,
        occurred_at as heard_at
    from {{ ref('int_listening') }}
    where is_hearing

    union all

    select
        user_index,
        track_index,
        recording_index,
        play_count as plays,
        false as was_saved,
        false as was_added,
        false as was_liked,
        null as heard_at
    from {{ ref('int_play_counts') }}

),

final as (

    select
        user_index,
        track_index,
        any_value(recording_index) as recording_index,
        cast(sum(plays) as bigint) as plays,
        bool_or(was_saved) as was_saved,
        bool_or(was_added) as was_added,
        bool_or(was_liked) as was_liked,
        min(heard_at) as first_heard_at,
        max(heard_at) as last_heard_at
    from acts
    group by user_index, track_index

)

select * from final
