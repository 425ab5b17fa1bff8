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
        -- In the order of the paths, and narrow: it stands in every staged row.
        cast(row_number() over (order by path, dataset) as integer) as file_number,
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
