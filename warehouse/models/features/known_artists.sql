with heard as (

    select
        user_id,
        track_id,
        plays
    from {{ ref('int_heard') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('listeners') }}

),

credits as (

    select
        track_id,
        unnest(artist_indexes) as artist_index
    from {{ ref('editions') }}

),

final as (

    select
        listeners.user_index,
        credits.artist_index,
        cast(sum(heard.plays) as bigint) as prior_plays,
        count(*) as prior_tracks
    from heard
    inner join listeners on heard.user_id = listeners.user_id
    inner join credits on heard.track_id = credits.track_id
    group by listeners.user_index, credits.artist_index

)

select
    user_index,
    artist_index,
    prior_plays,
    prior_tracks
from final
order by user_index, artist_index
