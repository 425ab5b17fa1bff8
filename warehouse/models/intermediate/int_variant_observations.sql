{{ config(materialized='table') }}

-- Each exposed listener's metrics, beside what they did before. Rates are of a listener's own slots, so that everyone
-- counts once; what takes 30 days is there for those who were exposed 30 days ago or more.

with exposed as (

    select
        exposures.experiment_id,
        exposures.variant_id,
        exposures.user_index,
        exposures.exposed_at,
        exposures.exposed_at + interval 30 day as month_after,
        assigned.user_id,
        assigned.pre_skip_rate,
        assigned.pre_save_rate,
        assigned.pre_completion_rate,
        assigned.pre_active_days
    from {{ ref('variant_exposures') }} as exposures
    inner join {{ ref('assigned_variants') }} as assigned
        on exposures.experiment_id = assigned.experiment_id and exposures.user_index = assigned.user_index
    where exposures.exposed_at is not null

),

feedback as (

    select
        experiment_id,
        user_id,
        sum(reached) as reached,
        sum(completed) as completed,
        sum(saved) as saved,
        sum(skipped) as skipped
    from {{ ref('variant_feedback') }}
    group by experiment_id, user_id
    having sum(reached) > 0

),

rates as (

    select
        exposed.*,
        feedback.skipped / feedback.reached as skip_rate,
        feedback.saved / feedback.reached as save_rate,
        feedback.completed / feedback.reached as completion_rate
    from exposed
    inner join feedback on exposed.experiment_id = feedback.experiment_id and exposed.user_id = feedback.user_id

),

with_month as (

    select * from exposed
    where month_after <= {{ week() }}

),

came_back as (

    select distinct
        with_month.experiment_id,
        with_month.user_index
    from with_month
    inner join {{ ref('int_listening') }} as listening on with_month.user_index = listening.user_index
    where
        listening.is_listening
        and listening.is_hearing
        and listening.occurred_at >= with_month.month_after - interval 7 day
        and listening.occurred_at < with_month.month_after

),

subscriptions as (

    select
        user_id,
        event,
        occurred_at
    from {{ ref('stg_subscriptions') }}
    where status = 'usable' and occurred_at < {{ week() }}

),

subscribed as (

    select
        with_month.experiment_id,
        with_month.user_index,
        max(subscriptions.occurred_at) filter (
            where subscriptions.event = 'subscribe' and subscriptions.occurred_at < with_month.exposed_at
        ) as subscribed_before,
        max(subscriptions.occurred_at) filter (
            where subscriptions.event = 'cancel' and subscriptions.occurred_at < with_month.exposed_at
        ) as cancelled_before,
        coalesce(
            bool_or(
                subscriptions.event = 'subscribe'
                and subscriptions.occurred_at >= with_month.exposed_at
                and subscriptions.occurred_at < with_month.month_after
            ),
            false
        ) as has_subscribed
    from with_month
    left join subscriptions on with_month.user_id = subscriptions.user_id
    group by with_month.experiment_id, with_month.user_index

),

final as (

    {%- for metric, covariate in [
        ('skip_rate', 'pre_skip_rate'), ('save_rate', 'pre_save_rate'), ('completion_rate', 'pre_completion_rate'),
    ] %}

    select
        experiment_id,
        variant_id,
        user_index,
        '{{ metric }}' as metric,
        {{ metric }} as value,
        {{ covariate }} as covariate
    from rates

    union all
    {%- endfor %}

    select
        with_month.experiment_id,
        with_month.variant_id,
        with_month.user_index,
        'retention_30d' as metric,
        case when came_back.user_index is null then 0.0 else 1.0 end as value,
        with_month.pre_active_days as covariate
    from with_month
    left join came_back
        on with_month.experiment_id = came_back.experiment_id and with_month.user_index = came_back.user_index

    union all

    select
        with_month.experiment_id,
        with_month.variant_id,
        with_month.user_index,
        'conversion_30d' as metric,
        case when subscribed.has_subscribed then 1.0 else 0.0 end as value,
        with_month.pre_active_days as covariate
    from with_month
    inner join subscribed
        on with_month.experiment_id = subscribed.experiment_id and with_month.user_index = subscribed.user_index
    -- Who pays already can't convert.
    where not {{ still_holds('subscribed.subscribed_before', 'subscribed.cancelled_before') }}

)

select
    experiment_id,
    variant_id,
    user_index,
    metric,
    cast(value as double) as value,
    cast(covariate as double) as covariate
from final
