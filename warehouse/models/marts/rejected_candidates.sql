with rejected as (

    select * from {{ ref('ml_rejected_candidates') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('listeners') }}

),

representatives as (

    select
        recording_index,
        min_by(track_id, edition_index) as track_id
    from {{ ref('editions') }}
    group by recording_index

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        listeners.user_id,
        representatives.track_id,
        rejected.rule_id,
        rejected.stage,
        cast(rejected.counterfactual_rank as integer) as counterfactual_rank
    from rejected
    inner join listeners on rejected.user_index = listeners.user_index
    inner join representatives on rejected.recording_index = representatives.recording_index

)

select
    program_id,
    week,
    user_id,
    track_id,
    rule_id,
    stage,
    counterfactual_rank
from final
order by user_id, track_id
