{{ config(
    tags=['marts'], severity='warn', meta={'dagster': {'ref': {'name': 'off_policy_estimates'}}}
) }}

-- A warning: an odd figure about old lists is no reason to keep new ones from listeners.

select
    policy,
    estimator,
    reward,
    status,
    reason,
    ci_low,
    value,
    ci_high,
    support
from {{ ref('off_policy_estimates') }}
where
    (status = 'identified') <> (value is not null)
    or (status = 'identified') <> (difference is not null)
    or (status = 'identified') <> (reason is null)
    or (value is null) <> (ci_low is null or ci_high is null)
    or value < ci_low - 1e-9
    or value > ci_high + 1e-9
    or difference < difference_ci_low - 1e-9
    or difference > difference_ci_high + 1e-9
    or effective_sample_size > lists + 1e-6
    or not support between 0 and 1 + 1e-9
