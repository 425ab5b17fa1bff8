-- What became of lists made under variants. Lists that can still change are counted anew; what the others came to, the run
-- before this one knew.

with slots as (

    select * from {{ ref('slot_outcomes') }}

),

assigned as (

    select
        assigned.experiment_id,
        assigned.user_index,
        assigned.user_id,
        assigned.assigned_week,
        experiments.ends_on
    from {{ ref('assigned_variants') }} as assigned
    inner join {{ ref('stg_experiments') }} as experiments on assigned.experiment_id = experiments.experiment_id

),

counted as (

    select
        assigned.experiment_id,
        assigned.user_id,
        slots.list_week,
        count(*) as reached,
        count(*) filter (where slots.completed) as completed,
        count(*) filter (where slots.saved) as saved,
        count(*) filter (where slots.skipped_early) as skipped
    from slots
    inner join assigned on slots.user_index = assigned.user_index
    where
        slots.reached_at is not null
        and {{ is_running('assigned.assigned_week', 'assigned.ends_on', 'slots.list_week') }}
    group by assigned.experiment_id, assigned.user_id, slots.list_week

),

closed as (

    select
        earlier.experiment_id,
        earlier.user_id,
        earlier.list_week,
        earlier.reached,
        earlier.completed,
        earlier.saved,
        earlier.skipped
    from {{ ref('stg_variant_feedback') }} as earlier
    inner join assigned
        on earlier.experiment_id = assigned.experiment_id and earlier.user_id = assigned.user_id
    where earlier.list_week not in (select slots.list_week from slots)

),

final as (

    select * from counted

    union all

    select * from closed

)

select
    experiment_id,
    user_id,
    list_week,
    reached,
    completed,
    saved,
    skipped
from final
order by experiment_id, user_id, list_week
