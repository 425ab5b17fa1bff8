-- Plays and skips, capped by day, weighted by context, halved by age. A play inside our own playlists
-- counts in full once the listener has come back to the recording outside them.

with listening as (

    select
        user_id,
        recording_id,
        occurred_on,
        context_class,
        is_skip,
        completion_thousandths
    from {{ ref('int_listening') }}
    where is_listening

),

weights as (

    select * from {{ ref('event_weights') }}

),

days as (

    select
        user_id,
        recording_id,
        occurred_on,
        context_class,
        is_skip,
        count(*) as listen_count,
        sum(completion_thousandths) as completion_thousandths
    from listening
    group by user_id, recording_id, occurred_on, context_class, is_skip

),

repeated_outside as (

    select distinct
        user_id,
        recording_id
    from days
    where not is_skip and context_class <> 'own_playlist'

),

classed as (

    select
        days.user_id,
        days.recording_id,
        days.occurred_on,
        case when days.is_skip then 'skip' else 'play' end as event_type,
        case
            when
                days.context_class = 'own_playlist' and not days.is_skip
                and repeated_outside.recording_id is not null
                then 'chosen'
            else days.context_class
        end as context_class,
        case
            when days.is_skip then cast(days.listen_count as decimal(18, 3))
            else cast(days.completion_thousandths as decimal(18, 3)) / 1000
        end as amount
    from days
    left join repeated_outside
        on days.user_id = repeated_outside.user_id and days.recording_id = repeated_outside.recording_id

),

final as (

    select
        classed.user_id,
        classed.recording_id,
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
