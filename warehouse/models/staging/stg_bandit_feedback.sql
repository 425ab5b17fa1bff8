-- What the newest run before this one knew.

with known as (

    select
        week,
        list_week,
        variant_id,
        segment,
        arm_id,
        pulls,
        rewards
    from {{ source('earlier_features', 'bandit_feedback') }}

),

committed as (

    select max(committed_week) as committed_week
    from {{ ref('stg_committed_weeks') }}

),

final as (

    select
        known.list_week,
        known.variant_id,
        known.segment,
        known.arm_id,
        known.pulls,
        known.rewards
    from known
    inner join committed on known.week = committed.committed_week

)

select * from final
