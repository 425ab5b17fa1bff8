-- Whose feedback arms of exploration learn from: everyone's is control, and each variant of an experiment whose training
-- scope is its own has its own.

with variants as (

    select
        variants.experiment_id || ':' || variants.variant_id as variant_id
    from {{ ref('stg_experiment_variants') }} as variants
    inner join {{ ref('stg_experiments') }} as experiments on variants.experiment_id = experiments.experiment_id
    where
        experiments.training_scope = 'own'
        and {{ is_running('experiments.starts_on', 'experiments.ends_on', week()) }}

),

final as (

    select 'control' as variant_id

    union all

    select variant_id
    from variants

)

select * from final
