with measured as (

    select * from {{ ref('ml_recording_sounds') }}

),

heard as (

    select
        recording_index,
        instrumental,
        genre,
        genre_chance
    from {{ ref('ml_audio_recordings') }}

),

recordings as (

    {{ named_recordings() }}

),

final as (

    select
        measured.recording_index,
        {{ week() }} as week,
        recordings.recording_id,
        recordings.track_id,
        recordings.title,
        recordings.artist_name,
        measured.duration_seconds,
        measured.tempo_bpm,
        measured.tempo_confidence,
        cast(measured.key as integer) as key,
        measured.mode,
        measured.key_confidence,
        measured.energy,
        measured.brightness_hz,
        measured.loudness_lufs,
        cast(heard.instrumental as double) as instrumentalness,
        heard.genre,
        cast(heard.genre_chance as double) as genre_chance
    from measured
    inner join recordings on measured.recording_index = recordings.recording_index
    left join heard on measured.recording_index = heard.recording_index
    where measured.status = 'ok'

)

select
    week,
    recording_id,
    track_id,
    title,
    artist_name,
    duration_seconds,
    tempo_bpm,
    tempo_confidence,
    key,
    mode,
    key_confidence,
    energy,
    brightness_hz,
    loudness_lufs,
    instrumentalness,
    genre,
    genre_chance
from final
order by recording_index  -- that is by recording_id
