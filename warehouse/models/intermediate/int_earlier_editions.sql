-- As weeks that are looked back on knew them. Those are named by their dates, so that files of others are not read.

with kept as (

    {{ of_earlier_weeks('editions', {'track_id': 'varchar', 'recording_index': 'integer'}) }}

)

select
    week,
    track_id,
    recording_index
from kept
where {{ is_looked_back_on('week') }}
