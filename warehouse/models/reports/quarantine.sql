-- Every row that can't be used, with the file it came from and the row as it came.

{% for dataset in landed_datasets() %}
select
    '{{ dataset }}' as dataset,
    files.path,
    rejected._row as row_number,
    rejected.quarantine_reason as reason,
    cast(to_json(landed_rows) as varchar) as row_json
from {{ ref('stg_' ~ dataset) }} as rejected
inner join {{ ref('stg_week_files') }} as files on rejected.file_number = files.file_number
inner join {{ source('intake', dataset) }} as landed_rows
    on files.content_hash = landed_rows._file_hash and rejected._row = landed_rows._row
where rejected.status = 'quarantined'
{% if not loop.last %}
union all
{% endif %}
{% endfor %}
