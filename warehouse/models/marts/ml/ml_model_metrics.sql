select
    dataset,
    metric,
    value,
    evidence_count
from {{ source('ml', 'model_metrics') }}
where week = {{ week() }}
