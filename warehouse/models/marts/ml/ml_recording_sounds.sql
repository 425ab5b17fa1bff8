select
    recording_index,
    status,
    duration_seconds,
    tempo_bpm,
    tempo_confidence,
    key,
    mode,
    key_confidence,
    energy,
    brightness_hz,
    loudness_lufs
from {{ source('vectors', 'recording_sounds') }}
where week = {{ week() }}
