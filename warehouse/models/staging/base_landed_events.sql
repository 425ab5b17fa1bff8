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

    {{ landed('events', event_columns(), files='files', key='file_key') }}
    where {{ is_rehearsed_owner(identifier('landed_rows.user_id')) }}
    {% if is_incremental() %}
        and week_files.file_key not in (select file_key from {{ this }})
    {% endif %}

),

{{ typed_events('landed') }}

select * from typed
