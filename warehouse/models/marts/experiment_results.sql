with statistics as (

    select * from {{ ref('variant_statistics') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        experiment_id,
        variant_id,
        metric,
        is_control,
        assigned,
        delivered,
        exposed,
        listeners,
        mean,
        adjusted_mean,
        variance_left,
        lift,
        relative_lift,
        standard_error,
        ci_low,
        ci_high,
        p_value,
        detectable_lift,
        assigned_ratio_p,
        sample_ratio_p,
        has_ratio_mismatch,
        is_guardrail,
        guardrail_status
    from statistics

)

select
    program_id,
    week,
    experiment_id,
    variant_id,
    metric,
    is_control,
    assigned,
    delivered,
    exposed,
    listeners,
    mean,
    adjusted_mean,
    variance_left,
    lift,
    relative_lift,
    standard_error,
    ci_low,
    ci_high,
    p_value,
    detectable_lift,
    assigned_ratio_p,
    sample_ratio_p,
    has_ratio_mismatch,
    is_guardrail,
    guardrail_status
from final
order by experiment_id, variant_id, metric
