with named as (

    select
        user_index,
        unnest(favourite_artist_ids) as artist_id
    from {{ ref('int_listeners') }}

),

artists as (

    select * from {{ ref('artists') }}

),

final as (

    select distinct
        named.user_index,
        artists.artist_index
    from named
    inner join artists on trim(named.artist_id) = artists.artist_id

)

select
    user_index,
    artist_index
from final
order by user_index, artist_index
