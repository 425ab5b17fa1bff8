with events as (

    select * from {{ ref('base_events') }}

),

final as (

    {{ with_status('events', ref('base_event_copies')) }}

)

select * from final
