select
    recording_index,
    liked_by,
    rung,
    collaborative,
    text,
    audio
from {{ source('vectors', 'fused_recordings') }}
where week = {{ week() }}
