with comparisons as (

    select * from {{ ref('ml_config_comparisons') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        compared_week,
        config_hash,
        recipe_hash,
        baseline_config_hash,
        baseline_recipe_hash,
        changed,
        verdict,
        lists_of,
        segment,
        metric,
        cast(baseline as double) as baseline,
        cast(candidate as double) as candidate,
        cast(value as double) as value,
        cast(ci_low as double) as ci_low,
        cast(ci_high as double) as ci_high,
        cast(listeners as bigint) as listeners,
        threshold,
        cast(least as double) as least,
        cast(most as double) as most,
        status
    from comparisons

)

select
    program_id,
    week,
    compared_week,
    config_hash,
    recipe_hash,
    baseline_config_hash,
    baseline_recipe_hash,
    changed,
    verdict,
    lists_of,
    segment,
    metric,
    baseline,
    candidate,
    value,
    ci_low,
    ci_high,
    listeners,
    threshold,
    least,
    most,
    status
from final
order by compared_week, recipe_hash, baseline_recipe_hash, lists_of, segment, metric
