-- Per file: rows in = accepted + pending + quarantined + duplicates. A row whose track isn't known yet is
-- pending; every Monday looks again. A file landed twice is one file and its rows' duplicates.

with counted as (

    {% for dataset in landed_datasets() %}
    select
        staged.file_number,
        {% if dataset in datasets_of_tracks() %}
        count(*) filter (
            where staged.status = 'usable' and (staged.track_id is null or tracks.track_id is not null)
        ) as accepted_count,
        count(*) filter (
            where staged.status = 'usable' and staged.track_id is not null and tracks.track_id is null
        ) as pending_count,
        {% else %}
        count(*) filter (where staged.status = 'usable') as accepted_count,
        cast(0 as bigint) as pending_count,
        {% endif %}
        count(*) filter (where staged.status = 'quarantined') as quarantined_count,
        count(*) filter (where staged.status = 'duplicate') as duplicate_count
    from {{ ref('stg_' ~ dataset) }} as staged
    {% if dataset in datasets_of_tracks() %}
    left join {{ ref('int_known_tracks') }} as tracks on staged.track_id = tracks.track_id
    {% endif %}
    group by staged.file_number
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

),

final as (

    select
        files.dataset,
        files.path,
        files.content_hash,
        files.first_seen_at,
        files.error,
        files.duplicate_of,
        coalesce(files.row_count, 0) as row_count,
        coalesce(counted.accepted_count, 0) as accepted_count,
        coalesce(counted.pending_count, 0) as pending_count,
        coalesce(counted.quarantined_count, 0) as quarantined_count,
        case
            when files.duplicate_of is not null then coalesce(files.row_count, 0)
            else coalesce(counted.duplicate_count, 0)
        end as duplicate_count
    from {{ ref('stg_week_files') }} as files
    left join counted on files.file_number = counted.file_number

)

select * from final
