-- Lists of the committed weeks before this one, and when each was there for its listener.

with delivered as (

    select
        program_id,
        week,
        user_id,
        available_at,
        variant_id
    from {{ source('history', 'weekly_playlists') }}

),

committed as (

    select committed_week
    from {{ ref('stg_committed_weeks') }}

),

final as (

    select
        delivered.program_id,
        delivered.week,
        delivered.user_id,
        delivered.available_at,
        delivered.variant_id
    from delivered
    inner join committed on delivered.week = committed.committed_week

)

select * from final
