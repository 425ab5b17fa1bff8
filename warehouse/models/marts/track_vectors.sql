with recordings as (

    {{ named_recordings() }}

),

listening as (

    select * from {{ ref('ml_recording_factors') }}

),

words as (

    select * from {{ ref('ml_text_recordings') }}

),

sounds as (

    select * from {{ ref('ml_audio_recordings') }}

),

fused as (

    select
        recording_index,
        {{ sum_of_vectors('collaborative', 'text', 'audio') }} as vector
    from {{ ref('ml_fused_recordings') }}

),

final as (

    select
        recordings.recording_index,
        {{ week() }} as week,
        recordings.recording_id,
        recordings.track_id,
        recordings.title,
        recordings.artist_name,
        {{ as_vector('listening.vector', contracted_size('collaborative')) }} as collaborative,
        {{ as_vector('words.vector', contracted_size('text')) }} as text,
        {{ as_vector('sounds.vector', contracted_size('audio')) }} as audio,
        {{ as_vector('fused.vector', contracted_size('fused')) }} as fused
    from recordings
    left join listening on recordings.recording_id = listening.recording_id
    left join words on recordings.recording_index = words.recording_index
    left join sounds on recordings.recording_index = sounds.recording_index
    left join fused on recordings.recording_index = fused.recording_index

)

select
    week,
    recording_id,
    track_id,
    title,
    artist_name,
    collaborative,
    text,
    audio,
    fused
from final
order by recording_index  -- that is by recording_id
