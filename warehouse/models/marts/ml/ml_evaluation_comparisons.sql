select
    as_of_week,
    protocol_id,
    model,
    other_model,
    segment,
    metric,
    k,
    difference,
    ratio,
    ci_low,
    ci_high,
    listeners
from {{ source('ml', 'evaluation_comparisons') }}
where week = {{ week() }}
