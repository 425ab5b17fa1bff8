{{ config(materialized='table') }}

{% set columns = [
    'track_id', 'path',
] %}

with landed as (

    {{ landed('audio', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_track_id') }} as track_id,
        nullif(trim(raw_path), '') as path
    from landed

),

typed as (

    select
        file_number,
        _row,
        track_id,
        path,
        case
            when _parse_error is not null then 'malformed_row'
            when track_id is null then 'no_track_id'
            when path is null then 'no_path'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', stays='last') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
