with heard as (

    select
        user_index,
        track_index,
        plays
    from {{ ref('int_heard') }}

),

credits as (

    select
        tracks.track_index,
        unnest(editions.artist_indexes) as artist_index
    from {{ ref('editions') }} as editions
    inner join {{ ref('int_known_tracks') }} as tracks on editions.track_id = tracks.track_id

),

final as (

    select
        heard.user_index,
        credits.artist_index,
        cast(sum(heard.plays) as bigint) as prior_plays,
        count(*) as prior_tracks
    from heard
    inner join credits on heard.track_index = credits.track_index
    group by heard.user_index, credits.artist_index

)

select
    user_index,
    artist_index,
    prior_plays,
    prior_tracks
from final
order by user_index, artist_index
