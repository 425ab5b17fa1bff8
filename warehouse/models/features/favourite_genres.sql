with named as (

    select
        user_index,
        lower(trim(unnest(favourite_genres))) as genre
    from {{ ref('int_listeners') }}

),

final as (

    select distinct
        user_index,
        genre
    from named
    where genre <> ''

)

select
    user_index,
    genre
from final
order by user_index, genre
