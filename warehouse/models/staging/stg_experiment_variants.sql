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

ended as (

    select
        experiment_id,
        variant_id,
        weight,
        is_control,
        cast(
            round({{ buckets() }} * sum(weight) over (partition by experiment_id order by variant_id)) as integer
        ) - 1 as last_bucket
    from declared

),

-- From where the one before ended, not from a sum of its own: rounded otherwise, a listener would be in both.
final as (

    select
        experiment_id,
        variant_id,
        weight,
        is_control,
        coalesce(lag(last_bucket) over (partition by experiment_id order by variant_id) + 1, 0) as first_bucket,
        last_bucket
    from ended

)

select * from final
