{# Events as they landed, and as they are kept typed from week to week. #}

{% macro event_columns() -%}
    {{ return([
        'user_id', 'event_type', 'occurred_at', 'track_id', 'artist_id', 'event_id', 'ms_played',
        'reason_start', 'reason_end', 'shuffle', 'is_private', 'context_type', 'context_id',
        'position', 'session_id', 'device_type', 'variant_id', 'source',
    ]) }}
{%- endmacro %}


{% macro typed_events(landed) -%}
    {#- The CTE `typed`: rows of `landed` with their types, and why one can't be used. A column of text takes as long to
        write as ten of numbers, so that text which no model reads stays in intake. -#}
    parsed as (

        select
            {{ landed }}.*,
            {{ identifier('raw_user_id') }} as user_id,
            lower({{ identifier('raw_event_type') }}) as event_type,
            {{ moment('raw_occurred_at') }} as occurred_at,
            {{ identifier('raw_track_id') }} as track_id,
            {{ identifier('raw_artist_id') }} as artist_id,
            {{ identifier('raw_event_id') }} as event_id,
            {{ whole_number('raw_ms_played') }} as ms_played,
            nullif(trim(raw_reason_end), '') as reason_end,
            {{ truth('raw_is_private') }} as is_private,
            nullif(trim(raw_context_type), '') as context_type,
            {{ is_own_playlist('raw_context_id') }} as is_in_own_playlist,
            {{ week_of_own_list('raw_context_id', identifier('raw_user_id')) }} as list_week,
            {{ whole_number('raw_position') }} as position
        from {{ landed }}

    ),

    typed as (

        select
            file_key,
            _row,
            user_id,
            event_type,
            occurred_at,
            track_id,
            artist_id,
            ms_played,
            reason_end,
            is_private,
            context_type,
            is_in_own_playlist,
            list_week,
            case
                when _parse_error is not null then 'malformed_row'
                when user_id is null then 'no_user_id'
                when occurred_at is null then 'unparsable_time'
                when {{ unreadable('ms_played') }} then 'unparsable_number'
                when {{ unreadable('position') }} then 'unparsable_number'
                when {{ unreadable('is_private') }} then 'unparsable_boolean'
                when coalesce(event_type, '') not in ({{ event_types() }}) then 'unknown_event_type'
                when track_id is null and event_type <> 'block_artist' then 'no_track_id'
                when event_type = 'block_artist' and artist_id is null and track_id is null
                    then 'no_artist_id'
                when ms_played < 0 then 'negative_duration'
                when {{ too_large('ms_played') }} then 'number_too_large'
                when {{ too_late('occurred_at') }} then 'time_after_file_was_seen'
            end as quarantine_reason,
            coalesce({{ narrow_key("'id:' || event_id") }}, {{ row_key(event_columns()) }}) as dedupe_key
        from parsed

    )
{%- endmacro %}


{% macro event_files() -%}
    {#- The week's files of events, each with a key: of what is in it, of when it was first seen, and of the SQL that types
        it. Rows that carry the key need no second reading, whichever week asks; where a macro or a variable says
        otherwise than it did, the key is another one. -#}
    select
        *,
        {{ narrow_key(
            "concat_ws(' ', content_hash, first_seen_at, version(), '" ~ local_md5(typed_events('landed')) ~ "')"
        ) }} as file_key
    from {{ ref('stg_week_files') }}
    where dataset = 'events' and is_read
{%- endmacro %}
