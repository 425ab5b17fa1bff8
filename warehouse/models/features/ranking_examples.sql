-- What the ranker learns from: candidates as they were known on an earlier Monday, and what came of them in its week.
-- Those that were given and reached count as slots; of all others only what the listener did outside our lists counts.
-- Each says under which variants its list was made, since some learn from their own lists only.

-- A week whose run never finished gave no list.
with committed as (

    select committed_week
    from {{ ref('stg_committed_weeks') }}

),

-- Mondays that gave no lists have examples too: those that were rehearsed for this week, or for a finished one.
candidates as (

    select
        kept.*,
        false as is_rehearsed
    from {{ ref('stg_ranking_features') }} as kept
    inner join committed on kept.week = committed.committed_week

    union all

    select
        rehearsed.* exclude (rehearsed_for),
        true as is_rehearsed
    from {{ ref('stg_rehearsed_features') }} as rehearsed
    left join committed on rehearsed.rehearsed_for = committed.committed_week
    where rehearsed.rehearsed_for = {{ week() }} or committed.committed_week is not null

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('int_listeners') }}

),

recordings as (

    select
        recording_index,
        recording_id
    from {{ ref('recordings') }}

),

-- What was called otherwise then is looked up by today's name.
renamed as (

    select
        week,
        earlier_recording_id,
        recording_id
    from {{ ref('int_renamed_recordings') }}

),

lists as (

    select
        week,
        user_id,
        variant_id
    from {{ ref('stg_playlist_history') }}
    where
        program_id = '{{ var("program_id") }}'
        and week >= {{ week() }} - interval ({{ 7 * var('ranker_training_weeks') }}) day

),

-- By recording: a takedown puts another one into a place, or closes it up.
reached as (

    select
        outcomes.user_index,
        outcomes.list_week,
        outcomes.position,
        slots.recording_index,
        outcomes.completed,
        outcomes.saved,
        outcomes.skipped_early
    from {{ ref('slot_outcomes') }} as outcomes
    inner join {{ ref('int_open_slots') }} as slots
        on
            outcomes.user_index = slots.user_index
            and outcomes.list_week = slots.list_week
            and outcomes.position = slots.position
    where outcomes.reached_at is not null

),

listening as (

    select
        user_index,
        recording_index,
        cast(date_trunc('week', occurred_on) as date) as monday,
        event_type in ('save', 'like', 'playlist_add') as is_statement,
        is_listening,
        is_skip,
        {{ is_completion('is_listening', 'is_skip', 'completion_thousandths') }} as is_completed
    from {{ ref('int_listening') }}
    where
        occurred_at >= {{ week() }} - interval ({{ 7 * var('ranker_training_weeks') }}) day
        and context_class <> 'own_playlist'

),

happened as (

    select
        user_index,
        recording_index,
        monday,
        bool_or(is_completed) as is_completed,
        bool_or(is_statement) as is_saved,
        bool_or(is_skip) as is_skipped
    from listening
    where is_listening or is_statement
    group by user_index, recording_index, monday

),

joined as (

    select
        candidates.*,
        listeners.user_index,
        recordings.recording_index,
        reached.position as reached_position,
        reached.position is not null as is_slot,
        reached.position is not null or happened.monday is not null as was_played,
        case
            when reached.position is not null then reached.completed else coalesce(happened.is_completed, false)
        end as completed,
        case
            when reached.position is not null then reached.saved else coalesce(happened.is_saved, false)
        end as saved,
        case
            when reached.position is not null then reached.skipped_early
            else coalesce(happened.is_skipped and not happened.is_completed, false)
        end as skipped_early
    from candidates
    inner join listeners on candidates.user_id = listeners.user_id
    left join renamed
        on candidates.week = renamed.week and candidates.recording_id = renamed.earlier_recording_id
    inner join recordings on coalesce(renamed.recording_id, candidates.recording_id) = recordings.recording_id
    left join reached
        on
            listeners.user_index = reached.user_index
            and candidates.week = reached.list_week
            and recordings.recording_index = reached.recording_index
    left join happened
        on
            listeners.user_index = happened.user_index
            and recordings.recording_index = happened.recording_index
            and candidates.week = happened.monday

),

-- Most candidates are never played: some of them stand for all.
drawn as (

    select *
    from joined
    where
        was_played
        or {{ hash_bucket("user_id || ' ' || recording_id || ' ' || strftime(week, '%Y-%m-%d')", 1000000) }}
        < {{ var('ranker_zeros_kept') }} * 1000000

),

-- Two of then may be one recording today: the one that was reached in the list goes first. A Monday that was rehearsed
-- and run afterwards has its run's.
thinned as (

    select
        *,
        row_number() over (
            partition by week, user_index, recording_index
            order by
                is_rehearsed asc,
                is_slot desc,
                coalesce(position = reached_position, false) desc,
                position asc nulls last,
                recording_id asc
        ) as place
    from drawn

),

final as (

    select
        thinned.user_index,
        thinned.week as list_week,
        thinned.recording_index,
        -- As it was kept with the list, whatever the listener is in today.
        lists.variant_id,
        thinned.is_rehearsed,
        thinned.is_slot,
        thinned.was_played,
        thinned.completed,
        thinned.saved,
        thinned.skipped_early,
        case when thinned.was_played then 1.0 else 1.0 / {{ var('ranker_zeros_kept') }} end as weight,
        -- Where a track stood means nothing to a listener who didn't come across it there.
        cast(thinned.reached_position as float) as position,
        thinned.rung,
        thinned.standing,
        thinned.cosine,
        thinned.artist_nearness,
        thinned.text_share,
        thinned.text_affinity,
        thinned.audio_share,
        thinned.audio_affinity,
        thinned.age_days,
        thinned.popularity_percentile,
        thinned.market_strength,
        thinned.artist_tracks,
        thinned.artist_plays,
        thinned.is_new_artist,
        thinned.near_disliked,
        thinned.genre_taste,
        thinned.genre_best,
        thinned.rated_recordings,
        thinned.disliked_share,
        thinned.linear_score
    from thinned
    left join lists on thinned.week = lists.week and thinned.user_id = lists.user_id
    where thinned.place = 1

)

select
    user_index,
    list_week,
    recording_index,
    variant_id,
    is_rehearsed,
    is_slot,
    was_played,
    completed,
    saved,
    skipped_early,
    cast(weight as double) as weight,
    position,
    rung,
    standing,
    cosine,
    artist_nearness,
    text_share,
    text_affinity,
    audio_share,
    audio_affinity,
    age_days,
    popularity_percentile,
    market_strength,
    artist_tracks,
    artist_plays,
    is_new_artist,
    near_disliked,
    genre_taste,
    genre_best,
    rated_recordings,
    disliked_share,
    linear_score
from final
order by list_week, user_index, recording_index
