with fused as (

    select
        recording_index,
        rung,
        liked_by
    from {{ ref('ml_fused_recordings') }}

),

recordings as (

    {{ named_recordings() }}

),

went as (

    {{ where_most_went(ref('ml_earlier_editions'), ref('editions')) }}

),

-- By tracks, since a recording may be called otherwise than the week before; by name where none of its tracks is left.
earlier as (

    select
        coalesce(went.recording_index, recordings.recording_index) as recording_index,
        -- Of two that are one today the firmer rung: in this order they are the alphabet's.
        min(earlier_rungs.rung) as rung
    from {{ ref('ml_earlier_rungs') }} as earlier_rungs
    left join went on earlier_rungs.recording_index = went.earlier_index
    left join recordings on earlier_rungs.recording_id = recordings.recording_id
    group by coalesce(went.recording_index, recordings.recording_index)

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
    left join earlier on recordings.recording_index = earlier.recording_index
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
