with outcomes as (

    select * from {{ ref('slot_outcomes') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('listeners') }}

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        outcomes.list_week as week,
        listeners.user_id,
        outcomes.position,
        outcomes.delivered_at,
        outcomes.reached_at,
        outcomes.ms_played,
        outcomes.completed,
        outcomes.saved,
        outcomes.skipped_early,
        outcomes.organic_plays_28d,
        outcomes.artist_organic_plays_28d,
        outcomes.outcome_final,
        cast({{ week() }} as timestamp) as input_cutoff_at
    from outcomes
    inner join listeners on outcomes.user_index = listeners.user_index

)

select
    program_id,
    week,
    user_id,
    position,
    delivered_at,
    reached_at,
    ms_played,
    completed,
    saved,
    skipped_early,
    organic_plays_28d,
    artist_organic_plays_28d,
    outcome_final,
    input_cutoff_at
from final
order by week, user_id, position
