{{ config(materialized='table') }}

{% set columns = [
    'user_id', 'requested_at',
] %}

with landed as (

    {{ landed('deletions', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_user_id') }} as user_id,
        {{ moment('raw_requested_at') }} as requested_at
    from landed

),

typed as (

    select
        file_number,
        _row,
        user_id,
        requested_at,
        case
            when _parse_error is not null then 'malformed_row'
            when user_id is null then 'no_user_id'
            when requested_at is null then 'unparsable_time'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
