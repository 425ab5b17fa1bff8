{{ config(materialized='table') }}

with listed as (

    select
        dataset,
        path,
        content_hash,
        row_count,
        first_seen_at,
        error,
        duplicate_of
    from {{ source('inputs', 'week_files') }}
    where week = {{ week() }}

),

final as (

    select
        dataset,
        path,
        content_hash,
        row_count,
        first_seen_at,
        error,
        duplicate_of,
        error is null and duplicate_of is null as is_read
    from listed

)

select * from final
