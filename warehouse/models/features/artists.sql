with credits as (

    select distinct unnest(artist_ids) as artist_id
    from {{ ref('int_known_tracks') }}

),

final as (

    select
        cast(row_number() over (order by artist_id) - 1 as integer) as artist_index,
        artist_id
    from credits

)

select
    artist_index,
    artist_id
from final
order by artist_index
