-- What became of the slots that were reached, by the reason they were given with, beside what was foretold of them: a
-- reason is not to be praised for the track being good. Lists that can still change are counted anew; what the others
-- came to, the run before this one knew.

with slots as (

    select
        user_index,
        list_week,
        position,
        -- The slots that chance gave say of which segment the list's listener was.
        coalesce(max(segment) over (partition by user_index, list_week), 'everyone') as segment,
        reason_code,
        p_complete
    from {{ ref('int_open_slots') }}

),

outcomes as (

    select
        user_index,
        list_week,
        position,
        completed
    from {{ ref('slot_outcomes') }}
    where reached_at is not null

),

earlier as (

    select * from {{ ref('stg_reason_feedback') }}

),

-- Where no chance is known, all slots alike have that of the others of their week.
reached as (

    select
        slots.list_week,
        slots.segment,
        slots.reason_code,
        slots.p_complete is null as is_unknown,
        cast(outcomes.completed as integer) as completed,
        cast(coalesce(slots.p_complete, 1) as decimal(18, 9)) as chance
    from slots
    inner join outcomes
        on
            slots.user_index = outcomes.user_index
            and slots.list_week = outcomes.list_week
            and slots.position = outcomes.position
    where slots.reason_code is not null

),

-- Chances that are off for a whole week say nothing of any one reason: they are brought to what the week came to.
weeks as (

    select
        list_week,
        is_unknown,
        cast(sum(completed) as double) / cast(nullif(sum(chance), 0) as double) as completed_a_chance
    from reached
    group by list_week, is_unknown

),

expected as (

    select
        reached.list_week,
        reached.segment,
        reached.reason_code,
        reached.completed,
        cast(cast(reached.chance as double) * coalesce(weeks.completed_a_chance, 0) as decimal(18, 9)) as foretold
    from reached
    inner join weeks on reached.list_week = weeks.list_week and reached.is_unknown = weeks.is_unknown

),

counted as (

    select
        list_week,
        segment,
        reason_code,
        count(*) as reached,
        sum(completed) as completed,
        sum(foretold) as foretold
    from expected
    group by list_week, segment, reason_code

),

closed as (

    select earlier.*
    from earlier
    where earlier.list_week not in (select slots.list_week from slots)

),

final as (

    select
        list_week,
        segment,
        reason_code,
        cast(reached as bigint) as reached,
        cast(completed as bigint) as completed,
        cast(foretold as double) as foretold
    from counted

    union all

    select
        list_week,
        segment,
        reason_code,
        reached,
        completed,
        foretold
    from closed

)

select
    list_week,
    segment,
    reason_code,
    reached,
    completed,
    foretold
from final
order by list_week, segment, reason_code
