select
    recording_index,
    vector,
    instrumental,
    genre,
    genre_chance
from {{ source('vectors', 'audio_recordings') }}
where week = {{ week() }}
