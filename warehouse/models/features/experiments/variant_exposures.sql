-- How far each assigned listener came: a list made under the variant, and the first moment in one. That moment comes before
-- anything the variant could have changed was heard, so that variants are opened alike and can be compared.

with assigned as (

    select
        assigned.experiment_id,
        assigned.user_index,
        assigned.user_id,
        assigned.variant_id,
        assigned.assigned_week,
        experiments.ends_on
    from {{ ref('assigned_variants') }} as assigned
    inner join {{ ref('stg_experiments') }} as experiments on assigned.experiment_id = experiments.experiment_id

),

lists as (

    select
        week,
        user_id,
        available_at
    from {{ ref('stg_playlist_history') }}
    where program_id = '{{ var("program_id") }}'

),

in_lists as (

    select
        user_index,
        list_week,
        occurred_at
    from {{ ref('int_listening') }}
    where list_week is not null and (is_listening or event_type = 'impression')

),

delivered as (

    select
        assigned.experiment_id,
        assigned.user_index,
        lists.week as list_week,
        lists.available_at
    from assigned
    inner join lists on assigned.user_id = lists.user_id
    where {{ is_running('assigned.assigned_week', 'assigned.ends_on', 'lists.week') }}

),

exposed as (

    select
        delivered.experiment_id,
        delivered.user_index,
        min(delivered.available_at) as delivered_at,
        min(in_lists.occurred_at) as exposed_at
    from delivered
    left join in_lists
        on
            delivered.user_index = in_lists.user_index
            and delivered.list_week = in_lists.list_week
            and in_lists.occurred_at < delivered.available_at + interval ({{ outcome_window_days() }}) day
    group by delivered.experiment_id, delivered.user_index

),

final as (

    select
        assigned.experiment_id,
        assigned.user_index,
        assigned.variant_id,
        assigned.assigned_week,
        exposed.delivered_at,
        exposed.exposed_at
    from assigned
    left join exposed
        on assigned.experiment_id = exposed.experiment_id and assigned.user_index = exposed.user_index

)

select
    experiment_id,
    user_index,
    variant_id,
    assigned_week,
    delivered_at,
    exposed_at
from final
order by experiment_id, user_index
