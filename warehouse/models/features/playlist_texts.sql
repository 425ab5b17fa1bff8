with playlists as (

    select * from {{ ref('int_playlists') }}

)

select
    playlist_index,
    playlist_id,
    owner_id,
    title,
    description
from playlists
order by playlist_index
