{{ config(materialized='table') }}

{% set columns = [
    'track_id', 'tag', 'user_id', 'tagged_at',
] %}

with landed as (

    {{ landed('track_tags', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_track_id') }} as track_id,
        nullif(trim(raw_tag), '') as tag,
        {{ identifier('raw_user_id') }} as user_id,
        {{ moment('raw_tagged_at') }} as tagged_at
    from landed

),

typed as (

    select
        file_number,
        _row,
        track_id,
        tag,
        user_id,
        tagged_at,
        case
            when _parse_error is not null then 'malformed_row'
            when track_id is null then 'no_track_id'
            when tag is null then 'no_tag'
            when {{ unreadable('tagged_at') }} then 'unparsable_time'
            when {{ too_late('tagged_at') }} then 'time_after_file_was_seen'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', known_first=is_known('tagged_at')) }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
