-- What the lists of evaluation_window_weeks before are scored against: recordings that a listener first
-- heard from then on. Only the window is grouped; of what came before, only its pairs are looked up.

with listening as (

    select
        user_id,
        recording_id,
        event_type,
        occurred_at,
        context_class,
        is_hearing,
        {{ is_completion('is_listening', 'is_skip', 'completion_thousandths') }} as is_completed
    from {{ ref('int_listening') }}
    where
        occurred_at >= {{ evaluation_window_begin() }}
        and (is_hearing or event_type in ('unsave', 'playlist_remove', 'block_track'))

),

listeners as (

    select user_id
    from {{ ref('listeners') }}

),

acts as (

    select
        user_id,
        recording_id,
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
    group by user_id, recording_id

),

heard as (

    select * from acts where first_heard_at is not null

),

heard_before as (

    select distinct
        earlier.user_id,
        earlier.recording_id
    from {{ ref('int_listening') }} as earlier
    inner join heard on earlier.user_id = heard.user_id and earlier.recording_id = heard.recording_id
    where earlier.is_hearing and earlier.occurred_at < {{ evaluation_window_begin() }}

    union

    -- A total says that something was heard, not when: without a date it counts as from before.
    select distinct
        counts.user_id,
        recordings.recording_id
    from {{ ref('stg_play_counts') }} as counts
    inner join {{ ref('int_recordings') }} as recordings on counts.track_id = recordings.track_id
    where
        counts.status = 'usable'
        and counts.play_count > 0
        and coalesce(counts.observed_at < {{ evaluation_window_begin() }}, true)

),

final as (

    select
        heard.user_id,
        heard.recording_id,
        heard.first_heard_at,
        {{ is_kept(
            'heard.saved_at', 'heard.unsaved_at', 'heard.added_at', 'heard.removed_at', 'heard.liked_at',
            'heard.disliked_at', 'heard.blocked_at', 'heard.completion_count'
        ) }} as kept,
        coalesce(heard.first_heard_in_ours_at = heard.first_heard_at, false) as via_own_playlist
    from heard
    inner join listeners on heard.user_id = listeners.user_id
    left join heard_before
        on heard.user_id = heard_before.user_id and heard.recording_id = heard_before.recording_id
    where heard_before.user_id is null

)

select
    user_id,
    recording_id,
    first_heard_at,
    kept,
    via_own_playlist
from final
order by user_id, recording_id
