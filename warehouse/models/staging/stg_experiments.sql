-- What was declared for the week; where no run has read the home's files, as in a plain `dbt build`, the seed.

with landed as (

    select
        experiment_id,
        layer,
        first_bucket,
        last_bucket,
        starts_on,
        ends_on,
        markets,
        fewest_heard,
        training_scope,
        planned_listeners,
        guardrail_metrics,
        guardrail_margin
    from {{ source('inputs', 'experiments') }}
    where week = {{ week() }}

),

seeded as (

    select
        experiment_id,
        layer,
        coalesce(first_bucket, 0) as first_bucket,
        coalesce(last_bucket, {{ buckets() }} - 1) as last_bucket,
        starts_on,
        ends_on,
        markets,
        coalesce(fewest_heard, 0) as fewest_heard,
        coalesce(training_scope, 'shared') as training_scope,
        planned_listeners,
        guardrail_metrics,
        coalesce(guardrail_margin, 0.02) as guardrail_margin
    from {{ ref('experiments') }}
    where not exists (select 1 from {{ ref('stg_week_files') }})

),

declared as (

    select * from landed

    union all

    select * from seeded

),

final as (

    select
        experiment_id,
        layer,
        first_bucket,
        last_bucket,
        starts_on,
        ends_on,
        string_split(nullif(markets, ''), '|') as markets,
        fewest_heard,
        training_scope,
        planned_listeners,
        string_split(nullif(guardrail_metrics, ''), '|') as guardrail_metrics,
        guardrail_margin
    from declared

)

select * from final
