with funnel as (

    select * from {{ ref('ml_candidate_funnel') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        stage,
        rule_id,
        cast(candidates as bigint) as candidate_count,
        cast(listeners as bigint) as listener_count
    from funnel

)

select
    program_id,
    week,
    stage,
    rule_id,
    candidate_count,
    listener_count
from final
order by stage, rule_id
