-- As stg_experiments; of each variant, the part of the experiment's buckets that its weight gives it, in order of ids.

with landed as (

    select
        experiment_id,
        variant_id,
        weight,
        is_control
    from {{ source('inputs', 'experiment_variants') }}
    where week = {{ week() }}

),

seeded as (

    select
        experiment_id,
        variant_id,
        weight,
        is_control
    from {{ ref('experiment_variants') }}
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
        variant_id,
        weight,
        is_control,
        cast(
            round(
                {{ buckets() }}
                * (sum(weight) over (partition by experiment_id order by variant_id) - weight)
            ) as integer
        ) as first_bucket,
        cast(
            round({{ buckets() }} * sum(weight) over (partition by experiment_id order by variant_id)) as integer
        ) - 1 as last_bucket
    from declared

)

select * from final
