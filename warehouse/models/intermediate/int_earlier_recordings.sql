-- As weeks that are looked back on knew them. Those are named by their dates, so that files of others are not read.

with kept as (

    {{ of_earlier_weeks('recordings', {'recording_index': 'integer', 'recording_id': 'varchar'}) }}

)

select
    week,
    recording_index,
    recording_id
from kept
where {{ is_looked_back_on('week') }}
