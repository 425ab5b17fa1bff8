{{ config(materialized='table') }}

{% set columns = [
    'user_id', 'registered_at', 'market', 'timezone', 'allow_explicit', 'favourite_artist_ids',
    'favourite_genres', 'allow_exploration', 'adventurousness',
] %}

with landed as (

    {{ landed('users', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_user_id') }} as user_id,
        {{ moment('raw_registered_at') }} as registered_at,
        upper({{ identifier('raw_market') }}) as market,
        nullif(trim(raw_timezone), '') as timezone,
        {{ truth('raw_allow_explicit') }} as allow_explicit,
        raw_favourite_artist_ids as favourite_artist_ids,
        raw_favourite_genres as favourite_genres,
        {{ truth('raw_allow_exploration') }} as allow_exploration,
        try_cast(raw_adventurousness as double) as adventurousness
    from landed

),

typed as (

    select
        file_number,
        _row,
        user_id,
        registered_at,
        market,
        timezone,
        allow_explicit,
        favourite_artist_ids,
        favourite_genres,
        allow_exploration,
        adventurousness,
        case
            when _parse_error is not null then 'malformed_row'
            when user_id is null then 'no_user_id'
            when {{ unreadable('registered_at') }} then 'unparsable_time'
            when {{ unreadable('allow_explicit') }} then 'unparsable_boolean'
            when {{ unreadable('allow_exploration') }} then 'unparsable_boolean'
            when {{ unreadable('adventurousness') }} or not isfinite(adventurousness) then 'unparsable_number'
            when {{ too_late('registered_at') }} then 'time_after_file_was_seen'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', known_first=is_known('registered_at'), stays='last') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
