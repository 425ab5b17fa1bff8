select
    recording_index,
    vector
from {{ source('vectors', 'text_recordings') }}
where week = {{ week() }}
