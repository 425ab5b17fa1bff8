{{ config(materialized='table') }}

-- Playlists that people keep, as their newest row known on the Monday says them.

with playlists as (

    select * from {{ ref('stg_playlists') }}

),

known as (

    select
        *,
        row_number() over (partition by playlist_id order by updated_at desc nulls last, file_number desc, _row desc) as versions_ago
    from playlists
    where
        status = 'usable'
        and {{ is_known('updated_at') }}
        -- Ours are no evidence of what people group: the system would feed on itself.
        and not {{ is_own_playlist('playlist_id') }}

),

final as (

    select
        cast(row_number() over (order by playlist_id) - 1 as integer) as playlist_index,
        playlist_id,
        owner_id,
        title,
        description
    from known
    where versions_ago = 1 and {{ is_rehearsed_owner('coalesce(owner_id, playlist_id)') }}

)

select * from final
