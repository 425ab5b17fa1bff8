with metrics as (

    select * from {{ ref('ml_evaluation_metrics') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        as_of_week,
        protocol_id,
        model,
        segment,
        metric,
        cast(k as integer) as k,
        cast(truth_window_days as integer) as truth_window_days,
        cast(value as double) as value,
        cast(ceiling as double) as ceiling,
        cast(listeners as bigint) as listeners,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high
    from metrics

)

select
    program_id,
    week,
    as_of_week,
    protocol_id,
    model,
    segment,
    metric,
    k,
    truth_window_days,
    value,
    ceiling,
    listeners,
    ci_low,
    ci_high
from final
order by as_of_week, protocol_id, model, segment, metric, k
