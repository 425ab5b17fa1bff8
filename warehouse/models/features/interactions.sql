with engagement as (

    select * from {{ ref('int_engagement') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('listeners') }}

),

recordings as (

    select
        recording_index,
        recording_id
    from {{ ref('recordings') }}

),

blocked as (

    select
        user_id,
        recording_id
    from {{ ref('int_blocked_recordings') }}

),

weighted as (

    select
        engagement.user_id,
        engagement.recording_id,
        engagement.engagement,
        {{ confidence('engagement.engagement') }} as confidence,
        {{ preference('engagement.engagement') }} as preference
    from engagement
    left join blocked
        on engagement.user_id = blocked.user_id and engagement.recording_id = blocked.recording_id
    where blocked.recording_id is null

),

final as (

    select
        listeners.user_index,
        recordings.recording_index,
        weighted.engagement,
        weighted.confidence,
        weighted.preference
    from weighted
    inner join listeners on weighted.user_id = listeners.user_id
    inner join recordings on weighted.recording_id = recordings.recording_id
    where weighted.preference is not null

)

select
    user_index,
    recording_index,
    engagement,
    confidence,
    preference
from final
order by user_index, recording_index
