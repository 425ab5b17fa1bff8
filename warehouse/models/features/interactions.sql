with engagement as (

    select * from {{ ref('int_engagement') }}

),

blocked as (

    select
        user_index,
        recording_index
    from {{ ref('int_blocked_recordings') }}

),

weighted as (

    select
        engagement.user_index,
        engagement.recording_index,
        engagement.engagement,
        {{ confidence('engagement.engagement') }} as confidence,
        {{ preference('engagement.engagement') }} as preference
    from engagement
    left join blocked
        on engagement.user_index = blocked.user_index and engagement.recording_index = blocked.recording_index
    where blocked.recording_index is null

)

select
    user_index,
    recording_index,
    engagement,
    confidence,
    preference
from weighted
where preference is not null
order by user_index, recording_index
