-- Who heard what lately, by market of the listener.

with listening as (

    select distinct
        user_id,
        recording_id
    from {{ ref('int_listening') }}
    where
        is_hearing
        and occurred_at >= {{ week() }} - interval ({{ var('recent_days') }}) day

),

listeners as (

    select
        user_id,
        market
    from {{ ref('int_listeners') }}

),

final as (

    select
        coalesce(listeners.market, '') as market,
        listening.recording_id,
        count(*) as listener_count
    from listening
    inner join listeners on listening.user_id = listeners.user_id
    group by coalesce(listeners.market, ''), listening.recording_id

)

select * from final
