-- What became of lists made under variants, as the newest run before this one knew it.

with known as (

    select
        week,
        experiment_id,
        user_id,
        list_week,
        reached,
        completed,
        saved,
        skipped
    from {{ source('earlier_features', 'variant_feedback') }}

),

committed as (

    select max(committed_week) as committed_week
    from {{ ref('stg_committed_weeks') }}

),

final as (

    select
        known.experiment_id,
        known.user_id,
        known.list_week,
        known.reached,
        known.completed,
        known.saved,
        known.skipped
    from known
    inner join committed on known.week = committed.committed_week

)

select * from final
