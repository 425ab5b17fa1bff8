select committed_week as week
from {{ source('inputs', 'committed_weeks') }}
where week = {{ week() }} and committed_week < {{ week() }}
