with listeners as (

    select * from {{ ref('int_listeners') }}

),

sessions as (

    select
        user_index,
        count(*) as session_count
    from {{ ref('int_sessions') }}
    where started_at >= {{ week() }} - interval ({{ var('recent_days') }}) day
    group by user_index

),

final as (

    select
        listeners.user_index,
        listeners.user_id,
        listeners.market,
        listeners.timezone,
        listeners.allow_explicit,
        listeners.allow_exploration,
        listeners.registered_at,
        coalesce(sessions.session_count, 0) as recent_session_count
    from listeners
    left join sessions on listeners.user_index = sessions.user_index

)

select
    user_index,
    user_id,
    market,
    timezone,
    allow_explicit,
    allow_exploration,
    registered_at,
    recent_session_count
from final
order by user_index
