-- Later weeks don't exist yet, as of now; a week whose run never finished delivered nothing.

select committed_week
from {{ source('inputs', 'committed_weeks') }}
where week = {{ week() }} and committed_week < {{ week() }}
