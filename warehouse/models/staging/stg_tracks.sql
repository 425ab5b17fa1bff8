{{ config(materialized='table') }}

{% set columns = [
    'track_id', 'title', 'artist_id', 'artist_name', 'artist_ids', 'album_id', 'album_title',
    'duration_ms', 'released_on', 'available_from', 'genres', 'language', 'explicit', 'markets',
    'isrc', 'recording_id',
] %}

with landed as (

    {{ landed('tracks', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_track_id') }} as track_id,
        nullif(trim(raw_title), '') as title,
        {{ identifier('raw_artist_id') }} as artist_id,
        nullif(trim(raw_artist_name), '') as artist_name,
        raw_artist_ids as artist_ids,
        {{ identifier('raw_album_id') }} as album_id,
        nullif(trim(raw_album_title), '') as album_title,
        {{ whole_number('raw_duration_ms') }} as duration_ms,
        {{ day('raw_released_on') }} as released_on,
        {{ moment('raw_available_from') }} as available_from,
        raw_genres as genres,
        nullif(trim(raw_language), '') as language,
        {{ truth('raw_explicit') }} as explicit,
        raw_markets as markets,
        upper(replace({{ identifier('raw_isrc') }}, '-', '')) as isrc,
        {{ identifier('raw_recording_id') }} as recording_id
    from landed

),

typed as (

    select
        file_number,
        _row,
        track_id,
        title,
        artist_id,
        artist_name,
        artist_ids,
        album_id,
        album_title,
        -- A length of nothing is one that isn't known.
        nullif(duration_ms, 0) as duration_ms,
        released_on,
        available_from,
        genres,
        language,
        explicit,
        markets,
        isrc,
        recording_id,
        case
            when _parse_error is not null then 'malformed_row'
            when track_id is null then 'no_track_id'
            when title is null then 'no_title'
            when artist_id is null then 'no_artist_id'
            when artist_name is null then 'no_artist_name'
            when {{ unreadable('available_from') }} then 'unparsable_time'
            when {{ unreadable('released_on') }} then 'unparsable_time'
            when {{ unreadable('duration_ms') }} then 'unparsable_number'
            when {{ unreadable('explicit') }} then 'unparsable_boolean'
            when duration_ms < 0 then 'negative_duration'
            when {{ too_large('duration_ms') }} then 'number_too_large'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', known_first=is_known('coalesce(available_from, released_on)'), stays='last') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
