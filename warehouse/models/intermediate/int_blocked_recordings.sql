select distinct
    user_index,
    recording_index
from {{ ref('int_listening') }}
where event_type = 'block_track'
