{{ config(tags=['marts'], meta={'dagster': {'ref': {'name': 'weekly_playlists'}}}) }}

with listed as (

    select user_id
    from {{ ref('weekly_playlists') }}

    union all

    select user_id
    from {{ ref('playlist_relaxations') }}
    where rule_id = 'too_few_tracks' or (rule_id = 'taken_down' and limit_to = 0)

)

select
    listeners.user_id,
    count(listed.user_id) as times_listed
from {{ ref('listeners') }} as listeners
left join listed on listeners.user_id = listed.user_id
group by listeners.user_id
having count(listed.user_id) <> 1
