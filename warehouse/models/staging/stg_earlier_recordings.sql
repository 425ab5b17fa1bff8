-- As weeks that are looked back on knew them. Those are named by their dates, so that files of others are not read.

select
    cast(week as date) as week,
    recording_index,
    recording_id
from {{ source('earlier_catalogue', 'recordings') }}
where {{ is_looked_back_on('week') }}
