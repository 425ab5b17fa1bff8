{{ config(tags=['marts'], meta={'dagster': {'ref': {'name': 'weekly_playlist_tracks'}}}) }}

-- Fewer only where a takedown left a slot that nothing fills, and then as many as its row says.

with expected as (

    select
        user_id,
        cast(limit_to as integer) as track_count
    from {{ ref('playlist_relaxations') }}
    where rule_id = 'taken_down'

),

lists as (

    select
        user_id,
        count(*) as track_count,
        count(distinct recording_id) as recording_count,
        min(position) as first_position,
        max(position) as last_position
    from {{ ref('weekly_playlist_tracks') }}
    group by user_id

)

select
    playlists.user_id,
    playlists.track_count,
    lists.recording_count,
    lists.last_position
from {{ ref('weekly_playlists') }} as playlists
full join lists on playlists.user_id = lists.user_id
left join expected on playlists.user_id = expected.user_id
where
    playlists.track_count is distinct from coalesce(expected.track_count, 30)
    or lists.track_count is distinct from playlists.track_count
    or lists.recording_count <> lists.track_count
    or lists.last_position <> lists.track_count
    or lists.first_position <> 1
