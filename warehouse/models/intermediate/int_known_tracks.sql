{{ config(materialized='table') }}

-- What a row says last, by file and row, holds: a corrected title replaces the first one, and a release that was
-- postponed is not known yet. Of files that came after the Monday, as all have where a past week is made, only rows
-- that were out by then say anything.

with tracks as (

    select
        tracks.*,
        {{ is_known('coalesce(tracks.available_from, tracks.released_on)') }} as is_out,
        {{ is_known('files.first_seen_at') }} as had_come
    from {{ ref('stg_tracks') }} as tracks
    inner join {{ ref('stg_week_files') }} as files on tracks.file_number = files.file_number

),

said as (

    select
        *,
        row_number() over (partition by track_id order by file_number desc, _row desc) as versions_ago
    from tracks
    where status = 'usable' and (is_out or had_come)

),

known as (

    select *
    from said
    where versions_ago = 1 and is_out

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

)

select * from final
