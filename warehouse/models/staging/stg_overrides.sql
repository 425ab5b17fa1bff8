{{ config(materialized='table') }}

{% set columns = [
    'track_id', 'artist_id', 'action', 'valid_from', 'valid_to',
] %}

with landed as (

    {{ landed('overrides', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_track_id') }} as track_id,
        {{ identifier('raw_artist_id') }} as artist_id,
        lower({{ identifier('raw_action') }}) as action,
        {{ moment('raw_valid_from') }} as valid_from,
        {{ moment('raw_valid_to') }} as valid_to
    from landed

),

typed as (

    select
        file_number,
        _row,
        track_id,
        artist_id,
        action,
        valid_from,
        valid_to,
        case
            when _parse_error is not null then 'malformed_row'
            when action is null then 'no_action'
            when {{ unreadable('valid_from') }} then 'unparsable_time'
            when {{ unreadable('valid_to') }} then 'unparsable_time'
            when track_id is null and artist_id is null then 'no_track_or_artist_id'
            when action not in ('takedown', 'embargo', 'boost') then 'unknown_action'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
