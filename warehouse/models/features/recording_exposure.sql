-- How many slots of our lists of the last weeks each recording had.

with slots as (

    select
        program_id,
        week,
        track_id
    from {{ ref('stg_recommendation_history') }}

),

editions as (

    select
        track_id,
        recording_index
    from {{ ref('editions') }}

),

final as (

    select
        editions.recording_index,
        count(*) as slots
    from slots
    inner join editions on slots.track_id = editions.track_id
    where
        slots.program_id = '{{ var("program_id") }}'
        and slots.week >= {{ week() }} - interval ({{ 7 * var('exploration_exposure_weeks') }}) day
    group by editions.recording_index

)

select
    recording_index,
    slots
from final
order by recording_index
