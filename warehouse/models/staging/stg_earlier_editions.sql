-- As weeks that are looked back on knew them. Those are named by their dates, so that files of others are not read.

select
    cast(week as date) as week,
    track_id,
    recording_index
from {{ source('earlier_catalogue', 'editions') }}
where {{ is_looked_back_on('week') }}
