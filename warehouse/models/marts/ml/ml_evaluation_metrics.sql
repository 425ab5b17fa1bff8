select
    as_of_week,
    protocol_id,
    model,
    segment,
    metric,
    k,
    truth_window_days,
    value,
    ceiling,
    listeners,
    ci_low,
    ci_high
from {{ source('ml', 'evaluation_metrics') }}
where week = {{ week() }}
