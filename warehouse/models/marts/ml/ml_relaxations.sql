select
    user_index,
    rule_id,
    step,
    limit_from,
    limit_to
from {{ source('ml', 'relaxations') }}
where week = {{ week() }}
