select
    recording_id,
    vector
from {{ source('vectors', 'recording_factors') }}
where week = {{ week() }}
