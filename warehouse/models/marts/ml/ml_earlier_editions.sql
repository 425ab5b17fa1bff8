select
    cast(week as date) as week,
    track_id,
    recording_index
from {{ source('earlier_catalogue', 'editions') }}
where week = {{ parent_week() }}
