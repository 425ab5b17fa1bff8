{{ config(tags=['marts'], meta={'dagster': {'ref': {'name': 'weekly_playlist_tracks'}}}) }}

select
    user_id,
    position,
    p_complete,
    p_save,
    p_skip
from {{ ref('weekly_playlist_tracks') }}
where least(p_complete, p_save, p_skip) < 0 or greatest(p_complete, p_save, p_skip) > 1
