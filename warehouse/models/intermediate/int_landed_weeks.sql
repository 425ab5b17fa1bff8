{{ config(materialized='table') }}

-- What each dataset holds by week, as of the Monday: usable rows, the newest moment, and nulls of the columns that are
-- watched among the rows that have them. One pass over each dataset.

{% set columns = watched_columns() %}

with

{% for dataset in landed_datasets() %}
{% set moment = landed_moments().get(dataset, 'cast(null as timestamp)') %}
{{ dataset }}_weeks as (

    select
        '{{ dataset }}' as dataset,
        cast({{ weeks_ago(moment) }} as integer) as weeks_ago,
        count(*) as row_count,
        count(*) filter (where {{ has_watched_columns(dataset) }}) as watched_count,
        max({{ moment }}) as newest_at{% for column in columns.get(dataset, []) %},
        count(*) filter (where {{ column }} is null and {{ has_watched_columns(dataset) }}) as null_{{ column }}{% endfor %}
    from {{ ref('stg_' ~ dataset) }}
    where status = 'usable' and {{ is_known(moment) }}
    group by 2

),

{% endfor %}

final as (

    {% for dataset in landed_datasets() %}
    select
        dataset,
        '*' as subject,
        weeks_ago,
        row_count,
        cast(null as bigint) as null_count,
        newest_at
    from {{ dataset }}_weeks
    {% for column in columns.get(dataset, []) %}
    union all
    select
        dataset,
        '{{ column }}' as subject,
        weeks_ago,
        watched_count as row_count,
        null_{{ column }} as null_count,
        newest_at
    from {{ dataset }}_weeks
    {% endfor %}
    {% if not loop.last %}
    union all
    {% endif %}
    {% endfor %}

)

select * from final
