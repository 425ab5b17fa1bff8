with assigned as (

    select * from {{ ref('assigned_variants') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        experiment_id,
        user_id,
        {{ week() }} as week,
        variant_id,
        layer,
        bucket,
        assigned_week,
        is_running
    from assigned

)

select
    program_id,
    experiment_id,
    user_id,
    week,
    variant_id,
    layer,
    bucket,
    assigned_week,
    is_running
from final
order by experiment_id, user_id
