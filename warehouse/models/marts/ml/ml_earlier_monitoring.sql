-- What the newest finished Mondays before this one measured.

with finished as (

    select week
    from {{ ref('ml_finished_weeks') }}
    order by week desc
    limit {{ var('monitoring_past_weeks') }}

)

select
    earlier.week,
    earlier.dataset,
    earlier.metric,
    earlier.subject,
    earlier.value
from {{ source('earlier_monitoring', 'monitoring') }} as earlier
inner join finished on earlier.week = finished.week
where earlier.program_id = '{{ var("program_id") }}'
