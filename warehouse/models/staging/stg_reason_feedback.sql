-- What the newest run before this one knew.

with known as (

    select
        week,
        list_week,
        segment,
        reason_code,
        reached,
        completed,
        foretold
    from {{ source('earlier_features', 'reason_feedback') }}

),

committed as (

    select max(committed_week) as committed_week
    from {{ ref('stg_committed_weeks') }}

),

final as (

    select
        known.list_week,
        known.segment,
        known.reason_code,
        known.reached,
        known.completed,
        known.foretold
    from known
    inner join committed on known.week = committed.committed_week

)

select * from final
