{{ config(tags=['marts'], meta={'dagster': {'ref': {'name': 'weekly_playlist_tracks'}}}) }}

select
    user_id,
    count(*) as track_count,
    count(distinct recording_id) as recording_count,
    max(position) as last_position
from {{ ref('weekly_playlist_tracks') }}
group by user_id
having count(*) <> 30 or count(distinct recording_id) <> 30 or max(position) <> 30 or min(position) <> 1
