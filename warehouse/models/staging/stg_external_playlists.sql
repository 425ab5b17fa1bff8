{{ config(materialized='table') }}

{% set columns = [
    'program_id', 'week', 'user_id', 'position', 'track_id',
] %}

with landed as (

    {{ landed('external_playlists', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_program_id') }} as program_id,
        {{ day('raw_week') }} as week,
        {{ identifier('raw_user_id') }} as user_id,
        {{ whole_number('raw_position') }} as position,
        {{ identifier('raw_track_id') }} as track_id
    from landed

),

typed as (

    select
        file_number,
        _row,
        program_id,
        week,
        user_id,
        position,
        track_id,
        case
            when _parse_error is not null then 'malformed_row'
            when program_id is null then 'no_program_id'
            when user_id is null then 'no_user_id'
            when track_id is null then 'no_track_id'
            when {{ unreadable('week') }} then 'unparsable_time'
            -- A list made midweek knew days that it would be scored by.
            when week is null or isodow(week) <> 1 then 'week_is_no_monday'
            when {{ unreadable('position') }} then 'unparsable_number'
            when position is null or position < 1 then 'position_below_1'
            when {{ too_large('position') }} then 'number_too_large'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
