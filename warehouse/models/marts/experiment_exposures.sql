with exposures as (

    select * from {{ ref('variant_exposures') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('listeners') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        exposures.experiment_id,
        listeners.user_id,
        {{ week() }} as week,
        exposures.variant_id,
        cast(exposures.assigned_week as timestamp) as eligible_at,
        exposures.delivered_at,
        exposures.exposed_at
    from exposures
    inner join listeners on exposures.user_index = listeners.user_index

)

select
    program_id,
    experiment_id,
    user_id,
    week,
    variant_id,
    eligible_at,
    delivered_at,
    exposed_at
from final
order by experiment_id, user_id
