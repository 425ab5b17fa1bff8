-- Who is in which variant. A listener stays where they were first put, eligible any more or not; what they listened to in
-- the four weeks before is kept beside it.

with experiments as (

    select * from {{ ref('stg_experiments') }}

),

variants as (

    select * from {{ ref('stg_experiment_variants') }}

),

listeners as (

    select
        user_index,
        user_id,
        market
    from {{ ref('int_listeners') }}

),

listening as (

    select
        user_index,
        event_type,
        occurred_on,
        is_listening,
        is_hearing,
        is_skip,
        {{ is_completion('is_listening', 'is_skip', 'completion_thousandths') }} as is_completed
    from {{ ref('int_listening') }}
    where occurred_at >= {{ week() }} - interval 28 day

),

running as (

    select * from experiments
    where {{ is_running('starts_on', 'ends_on', week()) }}

),

placed as (

    select
        layers.layer,
        listeners.user_index,
        listeners.user_id,
        listeners.market,
        {{ layer_bucket('layers.layer', 'listeners.user_id') }} as bucket
    from listeners
    cross join (select distinct running.layer from running) as layers

),

-- Counting costs seconds, and most experiments don't ask.
heard as (

    select
        user_index,
        count(distinct recording_index) as recordings
    from {{ ref('int_heard') }}
    where
        user_index in (
            select placed.user_index
            from placed
            inner join running on placed.layer = running.layer
            where running.fewest_heard > 0
        )
    group by user_index

),

eligible as (

    select
        running.experiment_id,
        placed.user_index,
        placed.user_id,
        placed.bucket,
        {{ variant_bucket('running.experiment_id', 'placed.user_id') }} as variant_bucket
    from placed
    inner join running
        on placed.layer = running.layer and placed.bucket between running.first_bucket and running.last_bucket
    left join heard on placed.user_index = heard.user_index
    where
        (running.markets is null or list_contains(running.markets, placed.market))
        and coalesce(heard.recordings, 0) >= running.fewest_heard

),

earlier as (

    select
        earlier.experiment_id,
        listeners.user_index,
        earlier.user_id,
        earlier.variant_id,
        earlier.bucket,
        earlier.assigned_week,
        earlier.pre_skip_rate,
        earlier.pre_save_rate,
        earlier.pre_completion_rate,
        earlier.pre_active_days
    from {{ ref('stg_assigned_variants') }} as earlier
    inner join listeners on earlier.user_id = listeners.user_id
    inner join variants
        on earlier.experiment_id = variants.experiment_id and earlier.variant_id = variants.variant_id

),

newly as (

    select
        eligible.experiment_id,
        eligible.user_index,
        eligible.user_id,
        variants.variant_id,
        eligible.bucket
    from eligible
    inner join variants
        on
            eligible.experiment_id = variants.experiment_id
            and eligible.variant_bucket between variants.first_bucket and variants.last_bucket
    left join earlier
        on eligible.experiment_id = earlier.experiment_id and eligible.user_index = earlier.user_index
    where earlier.user_index is null

),

before as (

    select
        user_index,
        count(*) filter (where is_listening) as plays,
        count(*) filter (where is_skip) as skips,
        count(*) filter (where is_completed) as completions,
        count(*) filter (where event_type in ('save', 'like', 'playlist_add')) as statements,
        count(distinct occurred_on) filter (where is_listening and is_hearing) as active_days
    from listening
    where user_index in (select newly.user_index from newly)
    group by user_index

),

assigned as (

    select * from earlier

    union all

    select
        newly.experiment_id,
        newly.user_index,
        newly.user_id,
        newly.variant_id,
        newly.bucket,
        {{ week() }} as assigned_week,
        before.skips / nullif(before.plays, 0) as pre_skip_rate,
        before.statements / nullif(before.plays, 0) as pre_save_rate,
        before.completions / nullif(before.plays, 0) as pre_completion_rate,
        coalesce(before.active_days, 0) as pre_active_days
    from newly
    left join before on newly.user_index = before.user_index

),

final as (

    select
        assigned.*,
        experiments.layer,
        {{ is_running('experiments.starts_on', 'experiments.ends_on', week()) }} as is_running
    from assigned
    inner join experiments on assigned.experiment_id = experiments.experiment_id

)

select
    experiment_id,
    user_index,
    user_id,
    variant_id,
    layer,
    cast(bucket as integer) as bucket,
    cast(assigned_week as date) as assigned_week,
    is_running,
    cast(pre_skip_rate as double) as pre_skip_rate,
    cast(pre_save_rate as double) as pre_save_rate,
    cast(pre_completion_rate as double) as pre_completion_rate,
    cast(pre_active_days as integer) as pre_active_days
from final
order by experiment_id, user_index
