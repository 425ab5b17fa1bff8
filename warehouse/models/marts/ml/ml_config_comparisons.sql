select
    compared_week,
    config_hash,
    recipe_hash,
    baseline_config_hash,
    baseline_recipe_hash,
    changed,
    verdict,
    lists_of,
    segment,
    metric,
    baseline,
    candidate,
    value,
    ci_low,
    ci_high,
    listeners,
    threshold,
    least,
    most,
    status
from {{ source('ml', 'config_comparisons') }}
where week = {{ week() }}
