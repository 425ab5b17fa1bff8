select
    user_index,
    recording_index,
    rule_id,
    stage,
    counterfactual_rank
from {{ source('ml', 'rejected_candidates') }}
where week = {{ week() }}
