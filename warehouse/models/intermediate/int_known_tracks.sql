{{ config(materialized='table') }}

-- What a row says last, by file and row, holds: a corrected title replaces the first one.

with tracks as (

    select * from {{ ref('stg_tracks') }}

),

known as (

    select
        *,
        row_number() over (partition by track_id order by file_number desc, _row desc) as versions_ago
    from tracks
    where
        status = 'usable'
        and {{ is_known('coalesce(available_from, released_on)') }}

),

final as (

    select
        cast(row_number() over (order by track_id) - 1 as integer) as track_index,
        track_id,
        title,
        {{ bare_title('title') }} as bare_title,
        artist_id,
        artist_name,
        list_sort(list_distinct(list_prepend(
            artist_id,
            list_filter(coalesce(artist_ids, []), lambda credited: trim(credited) <> '')
        ))) as artist_ids,
        album_id,
        album_title,
        duration_ms,
        released_on,
        coalesce(cast(available_from as date), released_on) as available_on,
        coalesce(genres, []) as genres,
        lower(language) as language,
        coalesce(explicit, false) as explicit,
        case when len(markets) > 0 then list_transform(markets, lambda market: upper(trim(market))) end as markets,
        isrc,
        recording_id
    from known
    where versions_ago = 1

)

select * from final
