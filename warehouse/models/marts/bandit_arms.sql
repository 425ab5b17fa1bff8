with posteriors as (

    select * from {{ ref('arm_posteriors') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        variant_id,
        segment,
        arm_id,
        alpha,
        beta,
        discount,
        pulls,
        rewards,
        exposure_share,
        supply_share
    from posteriors

)

select
    program_id,
    week,
    variant_id,
    segment,
    arm_id,
    alpha,
    beta,
    discount,
    pulls,
    rewards,
    exposure_share,
    supply_share
from final
order by variant_id, segment, arm_id
