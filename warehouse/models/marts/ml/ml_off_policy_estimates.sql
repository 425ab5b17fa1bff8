select
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
from {{ source('ml', 'off_policy_estimates') }}
where week = {{ week() }}
