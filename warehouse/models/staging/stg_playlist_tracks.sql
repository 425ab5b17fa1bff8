{{ config(materialized='table') }}

{% set columns = [
    'playlist_id', 'track_id', 'position', 'added_at',
] %}

with landed as (

    {{ landed('playlist_tracks', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_playlist_id') }} as playlist_id,
        {{ identifier('raw_track_id') }} as track_id,
        {{ whole_number('raw_position') }} as position,
        {{ moment('raw_added_at') }} as added_at
    from landed

),

typed as (

    select
        file_number,
        _row,
        playlist_id,
        track_id,
        position,
        added_at,
        case
            when _parse_error is not null then 'malformed_row'
            when playlist_id is null then 'no_playlist_id'
            when track_id is null then 'no_track_id'
            when {{ unreadable('added_at') }} then 'unparsable_time'
            when {{ unreadable('position') }} then 'unparsable_number'
            when {{ too_late('added_at') }} then 'time_after_file_was_seen'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', known_first=is_known('added_at')) }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
