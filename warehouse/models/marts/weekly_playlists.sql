with slots as (

    select * from {{ ref('ml_playlist_slots') }}

),

listeners as (

    select
        user_index,
        user_id,
        timezone
    from {{ ref('listeners') }}

),

relaxed as (

    select distinct user_index
    from {{ ref('ml_relaxations') }}

),

mixes as (

    select * from {{ ref('ml_playlist_mixes') }}

),

variants as (

    {{ lists_variants() }}

),

run_facts as (

    select * from {{ ref('ml_run_facts') }}

),

lists as (

    select
        user_index,
        any_value(listener_rung) as listener_rung,
        cast(count(*) as integer) as track_count,
        cast(count(*) filter (where is_new_artist) as integer) as new_artist_count
    from slots
    group by user_index

),

final as (

    select
        '{{ var("program_id") }}' as program_id,
        {{ week() }} as week,
        listeners.user_id,
        {{ playlist_id('listeners.user_id') }} as playlist_id,
        lists.track_count,
        case when relaxed.user_index is null then 'complete' else 'relaxed' end as status,
        lists.listener_rung,
        lists.new_artist_count,
        mixes.genre_kl,
        mixes.genre_kl_least,
        mixes.popularity_kl,
        mixes.popularity_kl_least,
        {{ start_of_day_in("coalesce(listeners.timezone, 'UTC')", week()) }} as available_at,
        cast({{ week() }} as timestamp) as input_cutoff_at,
        run_facts.config_hash,
        run_facts.model_version,
        run_facts.model_trained_at,
        -- Whole days; a run that trains its own factors begins before it has them.
        cast(greatest(
            date_diff('second', run_facts.model_trained_at, run_facts.generated_at) // 86400, 0
        ) as integer) as model_age_days,
        run_facts.generated_at,
        variants.variant_id
    from lists
    inner join listeners on lists.user_index = listeners.user_index
    left join relaxed on lists.user_index = relaxed.user_index
    left join mixes on lists.user_index = mixes.user_index
    left join variants on lists.user_index = variants.user_index
    cross join run_facts

)

select
    program_id,
    week,
    user_id,
    playlist_id,
    track_count,
    status,
    listener_rung,
    new_artist_count,
    genre_kl,
    genre_kl_least,
    popularity_kl,
    popularity_kl_least,
    available_at,
    input_cutoff_at,
    config_hash,
    model_version,
    model_trained_at,
    model_age_days,
    generated_at,
    variant_id
from final
order by user_id
