{{ config(materialized='table') }}

{% set columns = [
    'playlist_id', 'title', 'description', 'owner_id', 'updated_at',
] %}

with landed as (

    {{ landed('playlists', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_playlist_id') }} as playlist_id,
        nullif(trim(raw_title), '') as title,
        nullif(trim(raw_description), '') as description,
        {{ identifier('raw_owner_id') }} as owner_id,
        {{ moment('raw_updated_at') }} as updated_at
    from landed

),

typed as (

    select
        file_number,
        _row,
        playlist_id,
        title,
        description,
        owner_id,
        updated_at,
        case
            when _parse_error is not null then 'malformed_row'
            when playlist_id is null then 'no_playlist_id'
            when title is null then 'no_title'
            when {{ unreadable('updated_at') }} then 'unparsable_time'
            when {{ too_late('updated_at') }} then 'time_after_file_was_seen'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', known_first=is_known('updated_at'), stays='last') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
