with fused as (

    select
        recording_index,
        rung,
        liked_by
    from {{ ref('ml_fused_recordings') }}

),

earlier as (

    select
        recording_id,
        rung
    from {{ ref('ml_earlier_rungs') }}

),

recordings as (

    {{ named_recordings() }}

),

final as (

    select
        recordings.recording_index,
        {{ week() }} as week,
        recordings.recording_id,
        recordings.track_id,
        recordings.title,
        recordings.artist_name,
        fused.rung,
        earlier.rung as previous_rung,
        fused.liked_by,
        coalesce(earlier.rung = 'content' and fused.rung = 'collaborative', false) as is_promoted
    from fused
    inner join recordings on fused.recording_index = recordings.recording_index
    left join earlier on recordings.recording_id = earlier.recording_id
    where fused.rung = 'content' or earlier.rung = 'content'

)

select
    week,
    recording_id,
    track_id,
    title,
    artist_name,
    rung,
    previous_rung,
    liked_by,
    is_promoted
from final
order by recording_index  -- that is by recording_id
