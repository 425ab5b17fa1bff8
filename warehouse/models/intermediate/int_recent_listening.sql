-- Who heard what lately, by market of the listener.

with listening as (

    select distinct
        user_index,
        recording_index
    from {{ ref('int_listening') }}
    where
        is_hearing
        and occurred_at >= {{ week() }} - interval ({{ var('recent_days') }}) day

),

listeners as (

    select
        user_index,
        market
    from {{ ref('int_listeners') }}

),

final as (

    select
        coalesce(listeners.market, '') as market,
        listening.recording_index,
        count(*) as listener_count
    from listening
    inner join listeners on listening.user_index = listeners.user_index
    group by coalesce(listeners.market, ''), listening.recording_index

)

select * from final
