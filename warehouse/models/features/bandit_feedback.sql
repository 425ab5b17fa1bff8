-- What became of the slots given by chance. Lists that can still change are counted anew; what the others came to, the
-- run before this one knew.

with slots as (

    select
        user_index,
        list_week,
        position,
        coalesce(variant_id, '') as variant_id,
        segment,
        arm_id
    from {{ ref('int_open_slots') }}

),

outcomes as (

    select
        user_index,
        list_week,
        position,
        reached_at,
        completed,
        saved
    from {{ ref('slot_outcomes') }}

),

earlier as (

    select * from {{ ref('stg_bandit_feedback') }}

),

counted as (

    select
        slots.list_week,
        slots.variant_id,
        slots.segment,
        slots.arm_id,
        count(*) filter (where {{ is_pull('outcomes.reached_at') }}) as pulls,
        count(*) filter (
            where {{ is_reward('outcomes.reached_at', 'outcomes.completed', 'outcomes.saved') }}
        ) as rewards
    from slots
    inner join outcomes
        on
            slots.user_index = outcomes.user_index
            and slots.list_week = outcomes.list_week
            and slots.position = outcomes.position
    where slots.arm_id is not null
    group by slots.list_week, slots.variant_id, slots.segment, slots.arm_id

),

closed as (

    select earlier.*
    from earlier
    where earlier.list_week not in (select slots.list_week from slots)

),

final as (

    select
        list_week,
        variant_id,
        segment,
        arm_id,
        pulls,
        rewards
    from counted

    union all

    select
        list_week,
        -- Null where it was counted before lists had variants.
        coalesce(variant_id, '') as variant_id,
        segment,
        arm_id,
        pulls,
        rewards
    from closed

)

select
    list_week,
    variant_id,
    segment,
    arm_id,
    pulls,
    rewards
from final
order by list_week, variant_id, segment, arm_id
