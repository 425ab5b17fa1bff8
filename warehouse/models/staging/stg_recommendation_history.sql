-- Delivered in the committed weeks before this one.

with delivered as (

    select
        program_id,
        week,
        user_id,
        position,
        track_id,
        segment,
        arm_id,
        reason_code,
        p_complete
    from {{ source('history', 'weekly_playlist_tracks') }}

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
        delivered.position,
        delivered.track_id,
        delivered.segment,
        delivered.arm_id,
        delivered.reason_code,
        delivered.p_complete
    from delivered
    inner join committed on delivered.week = committed.committed_week

)

select * from final
