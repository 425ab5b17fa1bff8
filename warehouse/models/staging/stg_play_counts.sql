{{ config(materialized='table') }}

{% set columns = [
    'user_id', 'track_id', 'play_count', 'observed_at',
] %}

with landed as (

    {{ landed('play_counts', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_user_id') }} as user_id,
        {{ identifier('raw_track_id') }} as track_id,
        {{ whole_number('raw_play_count') }} as play_count,
        {{ moment('raw_observed_at') }} as observed_at
    from landed

),

typed as (

    select
        file_number,
        _row,
        user_id,
        track_id,
        play_count,
        observed_at,
        case
            when _parse_error is not null then 'malformed_row'
            when user_id is null then 'no_user_id'
            when track_id is null then 'no_track_id'
            when play_count is null then 'unparsable_number'
            when {{ unreadable('observed_at') }} then 'unparsable_time'
            when play_count < 0 then 'negative_count'
            when {{ too_large('play_count') }} then 'number_too_large'
            when {{ too_late('observed_at') }} then 'time_after_file_was_seen'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', known_first=is_known('observed_at'), stays='last') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
