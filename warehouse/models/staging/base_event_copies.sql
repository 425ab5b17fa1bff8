{{ config(materialized='table') }}

with events as (

    select
        file_number,
        _row,
        occurred_at,
        quarantine_reason,
        dedupe_key
    from {{ ref('base_events') }}

),

{{ copies('events', known_first=is_known('occurred_at')) }}

select
    file_number,
    _row
from copies
