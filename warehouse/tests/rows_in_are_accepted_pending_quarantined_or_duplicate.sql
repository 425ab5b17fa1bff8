{{ config(meta={'dagster': {'ref': {'name': 'intake_files'}}}) }}

select
    path,
    row_count,
    accepted_count,
    pending_count,
    quarantined_count,
    duplicate_count
from {{ ref('intake_files') }}
where error is null and row_count <> accepted_count + pending_count + quarantined_count + duplicate_count
