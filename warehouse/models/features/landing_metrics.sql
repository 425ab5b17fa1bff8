-- What is watched of the landed datasets, each number beside the median of its own past weeks. A past week counts where
-- the dataset had rows by then; too few of them make no reference.

with weeks as (

    select * from {{ ref('int_landed_weeks') }}

),

shares as (

    select * from {{ ref('int_listening_shares') }}

),

calendar as (

    select weeks_ago from {{ past_weeks() }}

),

spans as (

    select
        dataset,
        subject,
        max(weeks_ago) as oldest_week
    from weeks
    where weeks_ago >= 0
    group by dataset, subject

),

-- Every week since the first with rows, those without any too.
by_week as (

    select
        spans.dataset,
        spans.subject,
        calendar.weeks_ago,
        coalesce(weeks.row_count, 0) as row_count,
        weeks.null_count
    from spans
    inner join calendar on spans.oldest_week >= calendar.weeks_ago or calendar.weeks_ago = 0
    left join weeks
        on
            spans.dataset = weeks.dataset
            and spans.subject = weeks.subject
            and calendar.weeks_ago = weeks.weeks_ago

),

volume as (

    select
        dataset,
        'volume' as metric,
        subject,
        weeks_ago,
        cast(row_count as double) as value,
        row_count as evidence_count
    from by_week
    where subject = '*'

),

null_share as (

    select
        dataset,
        'null_share' as metric,
        subject,
        weeks_ago,
        null_count / row_count as value,
        row_count as evidence_count
    from by_week
    where subject <> '*' and row_count > 0

),

-- How old the newest row was on each Monday, in days of which one that has begun counts: a ratio of minutes says nothing.
freshness as (

    select
        by_week.dataset,
        'freshness' as metric,
        by_week.subject,
        by_week.weeks_ago,
        ceil(date_diff(
            'second', max(weeks.newest_at), {{ week() }} - interval 7 day * by_week.weeks_ago
        ) / 86400.0) as value,
        cast(sum(weeks.row_count) as bigint) as evidence_count
    from by_week
    inner join weeks
        on
            by_week.dataset = weeks.dataset
            and by_week.subject = weeks.subject
            and by_week.weeks_ago <= weeks.weeks_ago
    where by_week.subject = '*'
    group by by_week.dataset, by_week.subject, by_week.weeks_ago

),

totals as (

    select
        subject,
        weeks_ago,
        cast(sum(event_count) as bigint) as event_count
    from shares
    group by subject, weeks_ago

),

-- Each week against the past weeks but itself: how far it strays by nature is what the last one is held against.
held as (

    select
        totals.subject,
        totals.weeks_ago,
        totals.event_count,
        cast(sum(others.event_count) as bigint) as other_count
    from totals
    inner join totals as others
        on totals.subject = others.subject and totals.weeks_ago <> others.weeks_ago and others.weeks_ago > 0
    group by totals.subject, totals.weeks_ago, totals.event_count

),

parts as (

    select
        subject,
        part,
        cast(sum(event_count) filter (where weeks_ago > 0) as bigint) as past_count
    from shares
    group by subject, part

),

divergences as (

    select
        held.subject,
        held.weeks_ago,
        held.event_count,
        coalesce(shares.event_count, 0) / held.event_count as share,
        (
            coalesce(parts.past_count, 0)
            - case when held.weeks_ago > 0 then coalesce(shares.event_count, 0) else 0 end
        ) / held.other_count as other_share
    from held
    inner join parts on held.subject = parts.subject
    left join shares
        on
            parts.subject = shares.subject
            and parts.part = shares.part
            and held.weeks_ago = shares.weeks_ago

),

drift as (

    select
        'events' as dataset,
        'drift' as metric,
        subject,
        weeks_ago,
        cast(sum(cast({{ divergence_term('share', 'other_share') }} as decimal(18, 12))) as double) as value,
        event_count as evidence_count
    from divergences
    group by subject, weeks_ago, event_count

),

measured as (

    select * from volume
    union all
    select * from null_share
    union all
    select * from freshness
    union all
    select * from drift

),

held_against_past as (

    select
        dataset,
        metric,
        subject,
        max(value) filter (where weeks_ago = 0) as value,
        case
            when count(*) filter (where weeks_ago > 0) >= {{ var('monitoring_fewest_past_weeks') }}
                then median(value) filter (where weeks_ago > 0)
        end as reference,
        cast(count(*) filter (where weeks_ago > 0) as integer) as reference_weeks,
        -- A volume rests on what is usual: nothing at all in the last week is what it is to find.
        cast(floor(case
            when metric = 'volume' then median(evidence_count) filter (where weeks_ago > 0)
            else max(evidence_count) filter (where weeks_ago = 0)
        end) as bigint) as evidence_count
    from measured
    group by dataset, metric, subject
    having bool_or(weeks_ago = 0)

),

-- Of all there is, whenever it came: what earlier Mondays counted is what it is held against (monitoring).
known_rows as (

    select
        dataset,
        cast(sum(row_count) as bigint) as row_count
    from weeks
    where subject = '*'
    group by dataset

),

final as (

    select
        dataset,
        metric,
        subject,
        value,
        reference,
        reference_weeks,
        coalesce(evidence_count, 0) as evidence_count
    from held_against_past

    union all

    select
        datasets.dataset,
        'rows' as metric,
        '*' as subject,
        cast(coalesce(known_rows.row_count, 0) as double) as value,
        cast(null as double) as reference,
        0 as reference_weeks,
        coalesce(known_rows.row_count, 0) as evidence_count
    from (
        select unnest([
            {% for name in landed_datasets() %}'{{ name }}'{{ ', ' if not loop.last }}{% endfor %}
        ]) as dataset
    ) as datasets
    left join known_rows on datasets.dataset = known_rows.dataset

)

select
    dataset,
    metric,
    subject,
    value,
    reference,
    reference_weeks,
    evidence_count
from final
order by dataset, metric, subject
