with listeners as (

    select * from {{ ref('int_listeners') }}

)

select
    user_index,
    user_id,
    market,
    timezone,
    allow_explicit,
    allow_exploration,
    adventurousness,
    registered_at
from listeners
order by user_index
