-- What each variant's metrics are beside the control's: means, what listening before explains taken out (CUPED), intervals
-- that hold whenever they are looked at, whether listeners split as declared.

with observations as (

    select * from {{ ref('int_variant_observations') }}

),

exposures as (

    select * from {{ ref('variant_exposures') }}

),

declared as (

    select
        variants.experiment_id,
        variants.variant_id,
        variants.weight,
        variants.is_control,
        experiments.planned_listeners,
        experiments.guardrail_metrics,
        experiments.guardrail_margin
    from {{ ref('stg_experiment_variants') }} as variants
    inner join {{ ref('stg_experiments') }} as experiments on variants.experiment_id = experiments.experiment_id

),

metrics as (

    {%- for metric in metric_names() %}
    select
        '{{ metric }}' as metric,
        {{ metric == 'skip_rate' }} as is_low_good
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

),

counts as (

    select
        declared.experiment_id,
        declared.variant_id,
        any_value(declared.weight) as weight,
        count(exposures.user_index) as assigned,
        count(exposures.delivered_at) as delivered,
        count(exposures.exposed_at) as exposed
    from declared
    left join exposures
        on declared.experiment_id = exposures.experiment_id and declared.variant_id = exposures.variant_id
    group by declared.experiment_id, declared.variant_id

),

totals as (

    select
        experiment_id,
        count(*) as variants,
        sum(assigned) as assigned,
        sum(exposed) as exposed
    from counts
    group by experiment_id

),

ratios as (

    select
        counts.experiment_id,
        any_value(totals.variants) as variants,
        sum({{ exact('pow(counts.assigned - counts.weight * totals.assigned, 2) / nullif(counts.weight * totals.assigned, 0)') }})
            as assigned_statistic,
        sum({{ exact('pow(counts.exposed - counts.weight * totals.exposed, 2) / nullif(counts.weight * totals.exposed, 0)') }})
            as exposed_statistic
    from counts
    inner join totals on counts.experiment_id = totals.experiment_id
    group by counts.experiment_id

),

-- Around the experiment's mean; who did nothing before stands at it.
centres as (

    select
        experiment_id,
        metric,
        cast(sum({{ exact('covariate') }}) as double) / nullif(count(covariate), 0) as covariate
    from observations
    group by experiment_id, metric

),

centred as (

    select
        observations.experiment_id,
        observations.variant_id,
        observations.metric,
        observations.value as y,
        coalesce(observations.covariate - centres.covariate, 0) as x
    from observations
    inner join centres
        on observations.experiment_id = centres.experiment_id and observations.metric = centres.metric

),

sums as (

    select
        experiment_id,
        variant_id,
        metric,
        count(*) as listeners,
        cast(sum({{ exact('y') }}) as double) as y,
        cast(sum({{ exact('x') }}) as double) as x,
        cast(sum({{ exact('y * y') }}) as double) as yy,
        cast(sum({{ exact('x * x') }}) as double) as xx,
        cast(sum({{ exact('x * y') }}) as double) as xy
    from centred
    group by experiment_id, variant_id, metric

),

moments as (

    select
        experiment_id,
        variant_id,
        metric,
        listeners,
        y / listeners as mean_y,
        x / listeners as mean_x,
        greatest(yy - y * y / listeners, 0) as deviations_y,
        greatest(xx - x * x / listeners, 0) as deviations_x,
        xy - x * y / listeners as deviations_xy
    from sums

),

-- Within variants, so that what the variants do to the metric isn't taken for what was there before.
slopes as (

    select
        experiment_id,
        metric,
        coalesce(
            cast(sum({{ exact('deviations_xy') }}) as double)
            / nullif(cast(sum({{ exact('deviations_x') }}) as double), 0),
            0
        ) as slope
    from moments
    group by experiment_id, metric

),

adjusted as (

    select
        moments.experiment_id,
        moments.variant_id,
        moments.metric,
        moments.listeners,
        moments.mean_y,
        moments.mean_y - slopes.slope * moments.mean_x as mean_adjusted,
        sqrt(
            greatest(
                moments.deviations_y
                - 2 * slopes.slope * moments.deviations_xy
                + slopes.slope * slopes.slope * moments.deviations_x,
                0
            )
            / nullif(moments.listeners - 1, 0)
        ) as spread_adjusted,
        sqrt(moments.deviations_y / nullif(moments.listeners - 1, 0)) as spread
    from moments
    inner join slopes on moments.experiment_id = slopes.experiment_id and moments.metric = slopes.metric

),

rows_of_all as (

    select
        declared.*,
        metrics.metric,
        metrics.is_low_good,
        coalesce(adjusted.listeners, 0) as listeners,
        adjusted.mean_y,
        adjusted.mean_adjusted,
        adjusted.spread,
        adjusted.spread_adjusted,
        coalesce(list_contains(declared.guardrail_metrics, metrics.metric), false) as is_guardrail
    from declared
    cross join metrics
    left join adjusted
        on
            declared.experiment_id = adjusted.experiment_id
            and declared.variant_id = adjusted.variant_id
            and metrics.metric = adjusted.metric

),

controls as (

    select * from rows_of_all
    where is_control

),

compared as (

    select
        one.*,
        case when not one.is_control then one.mean_adjusted - controls.mean_adjusted end as lift,
        controls.mean_adjusted as control_mean,
        one.listeners + controls.listeners as both_listeners,
        case
            when
                not one.is_control
                and least(one.listeners, controls.listeners) >= {{ var('experiments_fewest_listeners') }}
                then
                    nullif(
                        sqrt(
                            one.spread_adjusted * one.spread_adjusted / one.listeners
                            + controls.spread_adjusted * controls.spread_adjusted / controls.listeners
                        ),
                        0
                    )
        end as standard_error
    from rows_of_all as one
    inner join controls on one.experiment_id = controls.experiment_id and one.metric = controls.metric

),

bounded as (

    select
        *,
        standard_error * {{ always_valid_factor('both_listeners', 'planned_listeners') }} as half_width
    from compared

),

final as (

    select
        bounded.*,
        counts.assigned,
        counts.delivered,
        counts.exposed,
        bounded.lift - bounded.half_width as ci_low,
        bounded.lift + bounded.half_width as ci_high,
        bounded.guardrail_margin * abs(bounded.control_mean) as margin,
        {{ two_sided_p('bounded.lift / bounded.standard_error') }} as p_value,
        {{ chi_square_p('ratios.assigned_statistic', '(ratios.variants - 1)') }} as assigned_ratio_p,
        {{ chi_square_p('ratios.exposed_statistic', '(ratios.variants - 1)') }} as sample_ratio_p
    from bounded
    inner join counts on bounded.experiment_id = counts.experiment_id and bounded.variant_id = counts.variant_id
    inner join ratios on bounded.experiment_id = ratios.experiment_id

)

select
    experiment_id,
    variant_id,
    metric,
    is_control,
    cast(assigned as bigint) as assigned,
    cast(delivered as bigint) as delivered,
    cast(exposed as bigint) as exposed,
    cast(listeners as bigint) as listeners,
    cast(mean_y as double) as mean,
    cast(mean_adjusted as double) as adjusted_mean,
    cast(spread_adjusted * spread_adjusted / nullif(spread * spread, 0) as double) as variance_left,
    cast(lift as double) as lift,
    cast(lift / nullif(abs(control_mean), 0) as double) as relative_lift,
    cast(standard_error as double) as standard_error,
    cast(ci_low as double) as ci_low,
    cast(ci_high as double) as ci_high,
    cast(p_value as double) as p_value,
    -- Found four times in five by one two-sided look at 5 %: 1.96 + 0.84 standard errors.
    cast(2.8015852 * standard_error as double) as detectable_lift,
    cast(assigned_ratio_p as double) as assigned_ratio_p,
    cast(sample_ratio_p as double) as sample_ratio_p,
    coalesce(sample_ratio_p < {{ var('experiments_sample_ratio_alpha') }}, false) as has_ratio_mismatch,
    is_guardrail,
    {{ guardrail_status('is_guardrail', 'is_low_good', 'ci_low', 'ci_high', 'margin') }} as guardrail_status
from final
order by experiment_id, variant_id, metric
