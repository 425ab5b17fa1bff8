{{ config(materialized='table') }}

-- Decayed sum of everything a listener did with a recording. Blocks are no engagement: they exclude.

with parts as (

    select
        user_index,
        recording_index,
        engagement
    from {{ ref('int_listening_engagement') }}

    union all

    select
        user_index,
        recording_index,
        engagement
    from {{ ref('int_stated_engagement') }}

    union all

    select
        counts.user_index,
        counts.recording_index,
        cast(weights.sign * weights.weight * counts.play_count as decimal(18, 6)) as engagement
    from {{ ref('int_play_counts') }} as counts
    inner join {{ event_weights() }} as weights on weights.event_type = 'play_count'

),

final as (

    select
        user_index,
        recording_index,
        cast(sum(engagement) as decimal(18, 6)) as engagement
    from parts
    group by user_index, recording_index

)

select * from final
