-- Plays and skips, capped by day, weighted by context, halved by age. A play inside our own playlists
-- counts in full once the listener has come back to the recording outside them.

-- Listening is read where it is needed: a CTE that is used more than once is kept whole, and the days of a million
-- listeners don't fit in memory.

with weights as (

    select * from {{ event_weights() }}

),

days as (

    select
        user_index,
        recording_index,
        occurred_on,
        context_class,
        is_skip,
        count(*) as listen_count,
        sum(completion_thousandths) as completion_thousandths
    from {{ ref('int_listening') }}
    where is_listening
    group by user_index, recording_index, occurred_on, context_class, is_skip

),

own_playlist as (

    select distinct
        user_index,
        recording_index
    from {{ ref('int_listening') }}
    where is_listening and not is_skip and context_class = 'own_playlist'

),

repeated_outside as (

    select distinct
        listening.user_index,
        listening.recording_index
    from {{ ref('int_listening') }} as listening
    inner join own_playlist
        on listening.user_index = own_playlist.user_index and listening.recording_index = own_playlist.recording_index
    where listening.is_listening and not listening.is_skip and listening.context_class <> 'own_playlist'

),

classed as (

    select
        days.user_index,
        days.recording_index,
        days.occurred_on,
        case when days.is_skip then 'skip' else 'play' end as event_type,
        case
            when
                days.context_class = 'own_playlist' and not days.is_skip
                and repeated_outside.recording_index is not null
                then 'chosen'
            else days.context_class
        end as context_class,
        case
            when days.is_skip then cast(days.listen_count as decimal(18, 3))
            else cast(days.completion_thousandths as decimal(18, 3)) / 1000
        end as amount
    from days
    left join repeated_outside
        on days.user_index = repeated_outside.user_index and days.recording_index = repeated_outside.recording_index

),

final as (

    select
        classed.user_index,
        classed.recording_index,
        classed.occurred_on,
        classed.event_type,
        classed.context_class,
        {{ decayed(
            "weights.sign * weights.weight * least(classed.amount, weights.daily_cap) * case when classed.event_type = 'skip' then "
            ~ var('skip_strength') ~ " else 1 end",
            "date_diff('day', classed.occurred_on, " ~ week() ~ ")",
            half_life('weights.half_life_days')
        ) }} as engagement
    from classed
    inner join weights
        on classed.event_type = weights.event_type and classed.context_class = weights.context_class

)

select * from final
