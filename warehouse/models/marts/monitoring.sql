-- Everything that is watched of a week, beside its reference and its levels. Landed datasets bring the reference of
-- their own past weeks; what only a run can measure is held against what earlier runs measured. Nothing blocks in a home
-- that has finished too few Mondays: a first week, a demo, an export of old listening.

{% set may_block %}
    ({{ var('monitoring_may_block') }} and finished.week_count >= {{ var('monitoring_fewest_past_weeks') }})
{%- endset %}

with landed as (

    select * from {{ ref('landing_metrics') }}

),

models as (

    select * from {{ ref('ml_model_metrics') }}

),

lists as (

    select * from {{ ref('weekly_playlists') }}

),

listeners as (

    select count(*) as listener_count
    from {{ ref('listeners') }}

),

earlier as (

    select * from {{ ref('ml_earlier_monitoring') }}

),

finished as (

    select count(*) as week_count
    from {{ ref('ml_finished_weeks') }}

),

levels as (

    select * from {{ ref('monitoring_levels') }}

),

counted_lists as (

    select
        count(*) as list_count,
        count(*) filter (where status = 'relaxed') as relaxed_count,
        count(*) filter (where listener_rung = 'popular') as popular_count,
        max(model_age_days) as model_age_days
    from lists

),

list_metrics as (

    select
        'relaxed_share' as metric,
        relaxed_count / nullif(list_count, 0) as value,
        list_count as evidence_count
    from counted_lists

    union all

    select
        'popular_share' as metric,
        popular_count / nullif(list_count, 0) as value,
        list_count as evidence_count
    from counted_lists

    union all

    select
        'model_age_days' as metric,
        cast(model_age_days as double) as value,
        list_count as evidence_count
    from counted_lists

    union all

    select
        'without_list_share' as metric,
        (listeners.listener_count - counted_lists.list_count) / nullif(listeners.listener_count, 0) as value,
        listeners.listener_count as evidence_count
    from counted_lists
    cross join listeners

),

measured as (

    select
        dataset,
        metric,
        subject,
        value,
        reference,
        reference_weeks,
        evidence_count
    from landed

    union all

    select
        dataset,
        metric,
        '*' as subject,
        value,
        cast(null as double) as reference,
        0 as reference_weeks,
        evidence_count
    from models

    union all

    select
        'weekly_playlists' as dataset,
        metric,
        '*' as subject,
        value,
        cast(null as double) as reference,
        0 as reference_weeks,
        evidence_count
    from list_metrics

),

earlier_medians as (

    select
        dataset,
        metric,
        subject,
        case when count(*) >= {{ var('monitoring_fewest_past_weeks') }} then median(value) end as reference,
        cast(count(*) as integer) as reference_weeks
    from earlier
    group by dataset, metric, subject

),

-- A level of the dataset's own goes before the one for all.
with_levels as (

    select
        measured.dataset,
        measured.metric,
        measured.subject,
        measured.value,
        case
            when measured.reference_weeks > 0 then measured.reference
            else earlier_medians.reference
        end as reference,
        case
            when measured.reference_weeks > 0 then measured.reference_weeks
            else coalesce(earlier_medians.reference_weeks, 0)
        end as reference_weeks,
        measured.evidence_count,
        coalesce(own.measure, general.measure) as measure,
        coalesce(own.direction, general.direction) as direction,
        case when own.metric is null then general.warn_at else own.warn_at end as warn_at,
        case when own.metric is null then general.block_at else own.block_at end as block_at,
        coalesce(own.fewest, general.fewest, 0) as fewest,
        coalesce(own.unit, general.unit) as unit,
        coalesce(own.page, general.page) as page
    from measured
    left join levels as own on measured.metric = own.metric and measured.dataset = own.dataset
    left join levels as general on measured.metric = general.metric and general.dataset = '*'
    left join earlier_medians
        on
            measured.dataset = earlier_medians.dataset
            and measured.metric = earlier_medians.metric
            and measured.subject = earlier_medians.subject
    where measured.value is not null

),

compared as (

    select
        *,
        {{ held_against('measure', 'value', 'reference') }} as measured
    from with_levels

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        compared.dataset,
        compared.metric,
        compared.subject,
        compared.value,
        compared.unit,
        compared.reference,
        cast(compared.reference_weeks as integer) as reference_weeks,
        compared.measure,
        compared.measured,
        compared.direction,
        compared.warn_at,
        compared.block_at,
        {{ alarm_level(
            'compared.measured', 'compared.direction', 'compared.warn_at', 'compared.block_at',
            'compared.evidence_count >= compared.fewest', may_block
        ) }} as level,
        cast(compared.evidence_count as bigint) as evidence_count,
        compared.page
    from compared
    cross join finished

)

select
    program_id,
    week,
    dataset,
    metric,
    subject,
    value,
    unit,
    reference,
    reference_weeks,
    measure,
    measured,
    direction,
    warn_at,
    block_at,
    level,
    evidence_count,
    page
from final
order by dataset, metric, subject
