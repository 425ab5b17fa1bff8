{{ config(materialized='table') }}

-- Listeners of the week: the known users and whoever has an accepted event or count, less deletions. Everything after
-- this knows them, tracks and recordings by number: joins and groups of ten million rows take half the time.

with users as (

    select
        *,
        row_number() over (partition by user_id order by file_number desc, _row desc) as versions_ago
    from {{ ref('stg_users') }}
    where status = 'usable' and {{ is_known('registered_at') }}

),

known_users as (

    select * from users where versions_ago = 1

),

active as (

    select distinct events.user_id
    from {{ ref('stg_events') }} as events
    left join {{ ref('int_known_tracks') }} as tracks on events.track_id = tracks.track_id
    where
        events.status = 'usable'
        and events.occurred_at < {{ week() }}
        and (tracks.track_id is not null or events.track_id is null)

    union

    -- A total of nothing is no hearing, but its listener is known.
    select distinct counts.user_id
    from {{ ref('stg_play_counts') }} as counts
    inner join {{ ref('int_known_tracks') }} as tracks on counts.track_id = tracks.track_id
    where counts.status = 'usable' and {{ is_known('counts.observed_at') }}

    union

    select user_id
    from known_users

),

deleted as (

    select distinct user_id
    from {{ ref('stg_deletions') }}
    where status = 'usable'

),

zones as (

    select lower(name) as zone_key, min(name) as zone_name
    from {{ time_zone_names() }}
    group by lower(name)

),

final as (

    select
        cast(row_number() over (order by active.user_id) - 1 as integer) as user_index,
        active.user_id,
        known_users.market,
        zones.zone_name as timezone,
        coalesce(known_users.allow_explicit, true) as allow_explicit,
        coalesce(known_users.allow_exploration, true) as allow_exploration,
        known_users.adventurousness,
        known_users.registered_at,
        coalesce(known_users.favourite_artist_ids, []) as favourite_artist_ids,
        coalesce(known_users.favourite_genres, []) as favourite_genres
    from active
    left join known_users on active.user_id = known_users.user_id
    left join zones on lower(known_users.timezone) = zones.zone_key
    left join deleted on active.user_id = deleted.user_id
    where deleted.user_id is null and {{ is_rehearsed_owner('active.user_id') }}

)

select * from final
