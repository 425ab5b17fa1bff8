-- Why a listener can't be given a recording, one reason a pair: the strongest, where several hold.

with heard as (

    select distinct
        user_id,
        recording_id
    from {{ ref('int_heard') }}

),

sampled as (

    select
        user_id,
        recording_id
    from {{ ref('int_listening') }}
    where
        is_listening
        and not is_hearing
        and occurred_at >= {{ week() }} - interval ({{ 7 * var('sampled_cooldown_weeks') }}) day

),

recommended as (

    select
        history.user_id,
        recordings.recording_id
    from {{ ref('int_recommendation_history') }} as history
    inner join {{ ref('int_recordings') }} as recordings on history.track_id = recordings.track_id

),

reasons as (

    select
        user_id,
        recording_id,
        1 as strength
    from {{ ref('int_blocked_recordings') }}

    union all

    select
        user_id,
        recording_id,
        2 as strength
    from heard

    union all

    select
        user_id,
        recording_id,
        3 as strength
    from sampled

    union all

    select
        user_id,
        recording_id,
        4 as strength
    from recommended

),

strongest as (

    select
        user_id,
        recording_id,
        min(strength) as strength
    from reasons
    group by user_id, recording_id

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

final as (

    select
        listeners.user_index,
        recordings.recording_index,
        case strongest.strength
            when 1 then 'blocked_track'
            when 2 then 'heard'
            when 3 then 'sampled'
            else 'recommended'
        end as rule_id
    from strongest
    inner join listeners on strongest.user_id = listeners.user_id
    inner join recordings on strongest.recording_id = recordings.recording_id

)

select
    user_index,
    recording_index,
    rule_id
from final
order by user_index, recording_index
