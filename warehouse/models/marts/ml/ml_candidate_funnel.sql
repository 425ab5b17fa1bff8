select
    stage,
    rule_id,
    candidates,
    listeners
from {{ source('ml', 'candidate_funnel') }}
where week = {{ week() }}
