with relaxations as (

    select * from {{ ref('ml_relaxations') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('listeners') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        listeners.user_id,
        relaxations.rule_id,
        cast(relaxations.step as integer) as step,
        cast(relaxations.limit_from as double) as limit_from,
        cast(relaxations.limit_to as double) as limit_to
    from relaxations
    inner join listeners on relaxations.user_index = listeners.user_index

)

select
    program_id,
    week,
    user_id,
    rule_id,
    step,
    limit_from,
    limit_to
from final
order by user_id, rule_id, step
