with blocked as (

    select * from {{ ref('int_blocked_artists') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('int_listeners') }}

),

artists as (

    select * from {{ ref('artists') }}

),

final as (

    select
        listeners.user_index,
        artists.artist_index
    from blocked
    inner join listeners on blocked.user_id = listeners.user_id
    inner join artists on blocked.artist_id = artists.artist_id

)

select
    user_index,
    artist_index
from final
order by user_index, artist_index
