{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='sync_all_columns',
        pre_hook="{% if is_incremental() %}
            delete from {{ this }} where file_key not in (select file_key from ({{ event_files() }}) as files)
        {% endif %}",
    )
}}

-- Every landed event with its types, and whether it can be used, each file once: what an earlier week typed stays, what
-- this week doesn't read goes. Written in one pass, in which nothing waits for anything: what repeats is found afterwards,
-- by number (base_event_copies).

with files as (

    {{ event_files() }}

),

landed as (

    select
        files.file_key,
        files.first_seen_at,
        landed_rows._row,
        landed_rows._parse_error,
        landed_rows._extras{% for column in event_columns() %},
        landed_rows.{{ column }} as raw_{{ column }}{% endfor %}
    from {{ source('intake', 'events') }} as landed_rows
    inner join files on landed_rows._file_hash = files.content_hash
    {% if is_incremental() %}
    where files.file_key not in (select file_key from {{ this }})
    {% endif %}

),

{{ typed_events('landed') }}

select * from typed
