{{ config(materialized='table') }}

{% set columns = [
    'document_id', 'body', 'title', 'url', 'published_at', 'track_ids',
] %}

with landed as (

    {{ landed('documents', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_document_id') }} as document_id,
        nullif(trim(raw_body), '') as body,
        nullif(trim(raw_title), '') as title,
        nullif(trim(raw_url), '') as url,
        {{ moment('raw_published_at') }} as published_at,
        raw_track_ids as track_ids
    from landed

),

typed as (

    select
        file_number,
        _row,
        document_id,
        body,
        title,
        url,
        published_at,
        track_ids,
        case
            when _parse_error is not null then 'malformed_row'
            when document_id is null then 'no_document_id'
            when body is null then 'no_body'
            when {{ unreadable('published_at') }} then 'unparsable_time'
            when {{ too_late('published_at') }} then 'time_after_file_was_seen'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', known_first=is_known('published_at'), stays='last') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
