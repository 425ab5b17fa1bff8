{{ config(materialized='table') }}

-- How listening is spread, in the last week and in those before: events by type, hour, market, context and genre. The
-- events are grouped once by everything but genre, and once by recording.

with listening as (

    select
        user_index,
        recording_index,
        event_type,
        occurred_at,
        context_class,
        cast({{ weeks_ago('occurred_at') }} as integer) as weeks_ago
    from {{ ref('int_listening') }}
    where occurred_at >= {{ week() }} - interval ({{ 7 * (var('monitoring_past_weeks') + 1) }}) day

),

listeners as (

    select
        user_index,
        market
    from {{ ref('int_listeners') }}

),

grouped as (

    select
        listening.weeks_ago,
        listening.event_type,
        cast(hour(listening.occurred_at) as varchar) as hour_of_day,
        coalesce(listeners.market, '') as market,
        listening.context_class,
        count(*) as event_count
    from listening
    inner join listeners on listening.user_index = listeners.user_index
    group by all

),

by_recording as (

    select
        weeks_ago,
        recording_index,
        count(*) as event_count
    from listening
    group by weeks_ago, recording_index

),

final as (

    {% for subject in watched_shares() %}
    select
        '{{ subject }}' as subject,
        {{ subject }} as part,
        weeks_ago,
        cast(sum(event_count) as bigint) as event_count
    from grouped
    group by 2, 3
    union all
    {% endfor %}
    select
        'genre' as subject,
        genres.genre as part,
        by_recording.weeks_ago,
        cast(sum(by_recording.event_count) as bigint) as event_count
    from by_recording
    inner join {{ ref('int_recording_genres') }} as genres on by_recording.recording_index = genres.recording_index
    group by 2, 3

)

select * from final
