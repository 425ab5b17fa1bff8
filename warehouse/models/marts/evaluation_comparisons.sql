with comparisons as (

    select * from {{ ref('ml_evaluation_comparisons') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        as_of_week,
        protocol_id,
        model,
        other_model,
        segment,
        metric,
        cast(k as integer) as k,
        cast(difference as double) as difference,
        cast(ratio as double) as ratio,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        cast(listeners as bigint) as listeners
    from comparisons

)

select
    program_id,
    week,
    as_of_week,
    protocol_id,
    model,
    other_model,
    segment,
    metric,
    k,
    difference,
    ratio,
    ci_low,
    ci_high,
    listeners
from final
order by as_of_week, protocol_id, model, other_model, segment, metric, k
