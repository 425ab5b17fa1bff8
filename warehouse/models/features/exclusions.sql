-- Why a listener can't be given a recording, one reason a pair: the strongest, where several hold.

with heard as (

    select
        user_index,
        recording_index
    from {{ ref('int_heard') }}

),

-- Ever, in whatever context, of any edition: nobody is offered again what they turned down twice.
skipped_twice as (

    select
        user_index,
        recording_index
    from {{ ref('int_listening') }}
    where is_skip
    group by user_index, recording_index
    having count(*) >= 2

),

sampled as (

    select
        user_index,
        recording_index
    from {{ ref('int_listening') }}
    where
        is_listening
        and not is_hearing
        and occurred_at >= {{ week() }} - interval ({{ 7 * var('sampled_cooldown_weeks') }}) day

),

recommended as (

    select
        listeners.user_index,
        recordings.recording_index
    from {{ ref('int_recommendation_history') }} as history
    inner join {{ ref('int_listeners') }} as listeners on history.user_id = listeners.user_id
    inner join {{ ref('int_recordings') }} as recordings on history.track_id = recordings.track_id

),

reasons as (

    select
        user_index,
        recording_index,
        1 as strength
    from {{ ref('int_blocked_recordings') }}

    union all

    select
        user_index,
        recording_index,
        2 as strength
    from heard

    union all

    select
        user_index,
        recording_index,
        3 as strength
    from skipped_twice

    union all

    select
        user_index,
        recording_index,
        4 as strength
    from sampled

    union all

    select
        user_index,
        recording_index,
        5 as strength
    from recommended

),

strongest as (

    select
        user_index,
        recording_index,
        min(strength) as strength
    from reasons
    group by user_index, recording_index

),

final as (

    select
        user_index,
        recording_index,
        case strength
            when 1 then 'blocked_track'
            when 2 then 'heard'
            when 3 then 'skipped_twice'
            when 4 then 'sampled'
            else 'recommended'
        end as rule_id
    from strongest

)

select
    user_index,
    recording_index,
    rule_id
from final
order by user_index, recording_index
