select distinct
    user_id,
    recording_id
from {{ ref('int_listening') }}
where event_type = 'block_track'
