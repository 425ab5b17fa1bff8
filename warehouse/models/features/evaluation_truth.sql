-- What the lists of evaluation_window_weeks before are scored against: recordings that a listener first
-- heard from then on. Only the window is grouped; of what came before, only its pairs are looked up.
-- Recordings are told apart and named as the scored week did, since its lists and its catalogue say so.

with renamed as (

    select
        track_index,
        recording_index,
        recording_id
    from {{ ref('int_scored_names') }}

),

listening as (

    select
        listening.user_index,
        coalesce(renamed.recording_index, listening.recording_index) as recording_index,
        listening.event_type,
        listening.occurred_at,
        listening.context_class,
        listening.is_hearing,
        {{ is_completion('is_listening', 'is_skip', 'completion_thousandths') }} as is_completed
    from {{ ref('int_listening') }} as listening
    left join renamed on listening.track_index = renamed.track_index
    where
        listening.occurred_at >= {{ evaluation_window_begin() }}
        and (listening.is_hearing or listening.event_type in ('unsave', 'playlist_remove', 'block_track'))

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('int_listeners') }}

),

acts as (

    select
        user_index,
        recording_index,
        min(occurred_at) filter (where is_hearing) as first_heard_at,
        min(occurred_at) filter (where is_hearing and context_class = 'own_playlist') as first_heard_in_ours_at,
        max(occurred_at) filter (where event_type = 'save') as saved_at,
        max(occurred_at) filter (where event_type = 'unsave') as unsaved_at,
        max(occurred_at) filter (where event_type = 'playlist_add') as added_at,
        max(occurred_at) filter (where event_type = 'playlist_remove') as removed_at,
        max(occurred_at) filter (where event_type = 'like') as liked_at,
        max(occurred_at) filter (where event_type = 'dislike') as disliked_at,
        max(occurred_at) filter (where event_type = 'block_track') as blocked_at,
        count(*) filter (where is_hearing and is_completed) as completion_count
    from listening
    group by user_index, recording_index

),

heard as (

    select * from acts where first_heard_at is not null

),

heard_before as (

    select distinct
        heard.user_index,
        heard.recording_index
    from {{ ref('int_listening') }} as earlier
    left join renamed on earlier.track_index = renamed.track_index
    inner join heard
        on
            earlier.user_index = heard.user_index
            and coalesce(renamed.recording_index, earlier.recording_index) = heard.recording_index
    where earlier.is_hearing and earlier.occurred_at < {{ evaluation_window_begin() }}

    union

    -- A total says that something was heard, not when: without a date it counts as from before.
    select distinct
        listeners.user_index,
        coalesce(renamed.recording_index, recordings.recording_index) as recording_index
    from {{ ref('stg_play_counts') }} as counts
    inner join listeners on counts.user_id = listeners.user_id
    inner join {{ ref('int_recordings') }} as recordings on counts.track_id = recordings.track_id
    left join renamed on recordings.track_index = renamed.track_index
    where
        counts.status = 'usable'
        and counts.play_count > 0
        and coalesce(counts.observed_at < {{ evaluation_window_begin() }}, true)

),

recordings as (

    select
        recording_index,
        recording_id
    from {{ ref('recordings') }}

    -- A name that a recording of today has too comes with its number.
    union

    select
        recording_index,
        recording_id
    from renamed

),

final as (

    select
        listeners.user_id,
        recordings.recording_id,
        heard.first_heard_at,
        {{ is_kept(
            'heard.saved_at', 'heard.unsaved_at', 'heard.added_at', 'heard.removed_at', 'heard.liked_at',
            'heard.disliked_at', 'heard.blocked_at', 'heard.completion_count'
        ) }} as kept,
        coalesce(heard.first_heard_in_ours_at = heard.first_heard_at, false) as via_own_playlist
    from heard
    inner join listeners on heard.user_index = listeners.user_index
    inner join recordings on heard.recording_index = recordings.recording_index
    left join heard_before
        on heard.user_index = heard_before.user_index and heard.recording_index = heard_before.recording_index
    where heard_before.user_index is null

)

select
    user_id,
    recording_id,
    first_heard_at,
    kept,
    via_own_playlist
from final
order by user_id, recording_id
