-- Plays and skips, capped by day, weighted by context, halved by age. A play inside our own playlists
-- counts in full once the listener has come back to the recording outside them, and into the same day's cap.

-- Listening is read where it is needed: a CTE that is used more than once is kept whole, and the days of a million
-- listeners don't fit in memory.

with weights as (

    select * from {{ event_weights() }}

),

own_playlist as (

    select
        user_index,
        recording_index,
        min(occurred_at) as first_played_at
    from {{ ref('int_listening') }}
    where is_listening and not is_skip and context_class = 'own_playlist'
    group by user_index, recording_index

),

come_back_to as (

    select distinct
        listening.user_index,
        listening.recording_index
    from {{ ref('int_listening') }} as listening
    inner join own_playlist
        on listening.user_index = own_playlist.user_index and listening.recording_index = own_playlist.recording_index
    where
        listening.is_listening
        and listening.is_hearing
        and not listening.is_skip
        and listening.context_class <> 'own_playlist'
        and listening.occurred_at > own_playlist.first_played_at

),

listened as (

    select
        listening.user_index,
        listening.recording_index,
        listening.occurred_on,
        listening.is_skip,
        listening.completion_thousandths,
        case
            when
                listening.context_class = 'own_playlist' and not listening.is_skip
                and come_back_to.recording_index is not null
                then 'chosen'
            else listening.context_class
        end as context_class
    from {{ ref('int_listening') }} as listening
    left join come_back_to
        on
            listening.user_index = come_back_to.user_index
            and listening.recording_index = come_back_to.recording_index
    where listening.is_listening

),

days as (

    select
        user_index,
        recording_index,
        occurred_on,
        context_class,
        case when is_skip then 'skip' else 'play' end as event_type,
        case
            when is_skip then cast(count(*) as decimal(18, 3))
            else cast(sum(completion_thousandths) as decimal(18, 3)) / 1000
        end as amount
    from listened
    group by user_index, recording_index, occurred_on, context_class, is_skip

),

final as (

    select
        days.user_index,
        days.recording_index,
        days.occurred_on,
        days.event_type,
        days.context_class,
        {{ decayed(
            "weights.sign * weights.weight * least(days.amount, weights.daily_cap) * case when days.event_type = 'skip' then "
            ~ var('skip_strength') ~ " else 1 end",
            "date_diff('day', days.occurred_on, " ~ week() ~ ")",
            half_life('weights.half_life_days')
        ) }} as engagement
    from days
    inner join weights
        on days.event_type = weights.event_type and days.context_class = weights.context_class

)

select * from final
