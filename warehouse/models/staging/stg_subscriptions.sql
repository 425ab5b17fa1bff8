{{ config(materialized='table') }}

{% set columns = [
    'user_id', 'event', 'occurred_at',
] %}

with landed as (

    {{ landed('subscriptions', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_user_id') }} as user_id,
        lower({{ identifier('raw_event') }}) as event,
        {{ moment('raw_occurred_at') }} as occurred_at
    from landed

),

typed as (

    select
        file_number,
        _row,
        user_id,
        event,
        occurred_at,
        case
            when _parse_error is not null then 'malformed_row'
            when user_id is null then 'no_user_id'
            when event is null then 'no_event'
            when occurred_at is null then 'unparsable_time'
            when event not in ('trial', 'subscribe', 'cancel') then 'unknown_event'
            when {{ too_late('occurred_at') }} then 'time_after_file_was_seen'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', known_first=is_known('occurred_at')) }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
