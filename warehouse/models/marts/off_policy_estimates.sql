with estimates as (

    select * from {{ ref('ml_off_policy_estimates') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        as_of_week,
        policy,
        estimator,
        reward,
        cast(value as double) as value,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        cast(difference as double) as difference,
        cast(difference_ci_low as double) as difference_ci_low,
        cast(difference_ci_high as double) as difference_ci_high,
        cast(lists as bigint) as lists,
        cast(effective_sample_size as double) as effective_sample_size,
        cast(support as double) as support,
        status,
        reason
    from estimates

)

select
    program_id,
    week,
    as_of_week,
    policy,
    estimator,
    reward,
    value,
    ci_low,
    ci_high,
    difference,
    difference_ci_low,
    difference_ci_high,
    lists,
    effective_sample_size,
    support,
    status,
    reason
from final
order by as_of_week, policy, estimator, reward
