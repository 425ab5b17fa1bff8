-- What each reason led to in each segment of taste, as a factor of what was foretold of the tracks that it was given with.
-- Everyone's is drawn towards 1, a segment's towards everyone's, so that a rare one stays where it was.

with feedback as (

    select
        segment,
        reason_code,
        reached,
        completed,
        cast(foretold as decimal(18, 6)) as foretold,
        {{ discounted('completed', weeks_before_week('list_week')) }} as completed_now,
        {{ discounted('foretold', weeks_before_week('list_week')) }} as foretold_now
    from {{ ref('reason_feedback') }}

),

pooled as (

    select
        reason_code,
        sum(reached) as reached,
        sum(completed) as completed,
        cast(sum(foretold) as double) as foretold,
        {{ lift('sum(completed_now)', 'sum(foretold_now)', '1') }} as lift
    from feedback
    group by reason_code

),

by_segment as (

    select
        segment,
        reason_code,
        sum(reached) as reached,
        sum(completed) as completed,
        cast(sum(foretold) as double) as foretold,
        sum(completed_now) as completed_now,
        sum(foretold_now) as foretold_now
    from feedback
    where segment <> 'everyone'
    group by segment, reason_code

),

final as (

    select
        'everyone' as segment,
        reason_code,
        reached,
        completed,
        foretold,
        lift
    from pooled

    union all

    select
        by_segment.segment,
        by_segment.reason_code,
        by_segment.reached,
        by_segment.completed,
        by_segment.foretold,
        {{ lift('by_segment.completed_now', 'by_segment.foretold_now', 'pooled.lift') }} as lift
    from by_segment
    inner join pooled on by_segment.reason_code = pooled.reason_code

)

select
    segment,
    reason_code,
    cast(reached as bigint) as reached,
    cast(completed as bigint) as completed,
    cast(foretold as double) as foretold,
    cast(lift as double) as lift
from final
order by segment, reason_code
