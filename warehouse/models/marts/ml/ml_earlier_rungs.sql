select
    recording_index,
    recording_id,
    rung
from {{ source('earlier_vectors', 'fused_recordings') }}
where week = {{ parent_week() }}
