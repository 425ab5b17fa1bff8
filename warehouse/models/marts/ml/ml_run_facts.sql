select
    config_hash,
    model_version,
    model_trained_at,
    generated_at
from {{ source('ml', 'run_facts') }}
where week = {{ week() }}
