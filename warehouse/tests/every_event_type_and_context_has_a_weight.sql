{{ config(meta={'dagster': {'ref': {'name': 'int_listening'}}}) }}

select
    listening.event_type,
    listening.context_class
from {{ ref('int_listening') }} as listening
left join {{ event_weights() }} as weights
    on listening.event_type = weights.event_type and listening.context_class = weights.context_class
where
    weights.event_type is null
    and listening.event_type not in ('impression', 'block_track', 'block_artist')
limit 10
