-- Delivered in the committed weeks before this one. Later weeks don't exist yet, as of now; a week whose
-- run never finished delivered nothing.

with delivered as (

    select
        week,
        user_id,
        track_id
    from {{ source('history', 'weekly_playlist_tracks') }}

),

committed as (

    select committed_week
    from {{ source('inputs', 'committed_weeks') }}
    where week = {{ week() }}

),

final as (

    select
        delivered.week,
        delivered.user_id,
        delivered.track_id
    from delivered
    inner join committed on delivered.week = committed.committed_week
    where delivered.week < {{ week() }}

)

select * from final
