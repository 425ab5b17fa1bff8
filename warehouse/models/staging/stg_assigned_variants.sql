-- Who was in which variant, as the newest run before this one knew it.

with known as (

    select
        week,
        experiment_id,
        user_id,
        variant_id,
        bucket,
        assigned_week,
        pre_skip_rate,
        pre_save_rate,
        pre_completion_rate,
        pre_active_days
    from {{ source('earlier_features', 'assigned_variants') }}

),

committed as (

    select max(committed_week) as committed_week
    from {{ ref('stg_committed_weeks') }}

),

final as (

    select
        known.experiment_id,
        known.user_id,
        known.variant_id,
        known.bucket,
        known.assigned_week,
        known.pre_skip_rate,
        known.pre_save_rate,
        known.pre_completion_rate,
        known.pre_active_days
    from known
    inner join committed on known.week = committed.committed_week

)

select * from final
