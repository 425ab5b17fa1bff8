-- What was delivered and still cools down.

with delivered as (

    select
        week,
        user_id,
        track_id
    from {{ ref('stg_recommendation_history') }}

),

final as (

    select
        week,
        user_id,
        track_id
    from delivered
    where week >= {{ week() }} - interval ({{ 7 * var('recommended_cooldown_weeks') }}) day

)

select * from final
