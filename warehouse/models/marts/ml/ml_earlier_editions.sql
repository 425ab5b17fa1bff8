with kept as (

    {{ of_earlier_weeks('editions', {'track_id': 'varchar', 'recording_index': 'integer'}) }}

)

select
    week,
    track_id,
    recording_index
from kept
where week = {{ parent_week() }}
