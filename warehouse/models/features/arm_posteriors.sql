-- What is known of each arm for each segment of taste: Beta(alpha, beta) of the chance that its slot is heard to the end
-- or saved. Everyone's starts from the prior, a segment's from everyone's mean. Variants whose training scope is their own
-- have all of it from their own lists.

with policies as (

    select * from {{ ref('int_policies') }}

),

-- A list can have been made under several variants.
feedback as (

    select
        policies.variant_id,
        slots.segment,
        slots.arm_id,
        slots.pulls,
        slots.rewards,
        {{ discounted('slots.rewards', weeks_before_week('slots.list_week')) }} as rewards_now,
        {{ discounted('slots.pulls - slots.rewards', weeks_before_week('slots.list_week')) }} as refusals_now
    from {{ ref('bandit_feedback') }} as slots
    inner join policies
        on
            policies.variant_id = 'control'
            or list_contains(string_split(slots.variant_id, ','), policies.variant_id)

),

memberships as (

    select * from {{ ref('recording_arms') }}

),

exposure as (

    select * from {{ ref('recording_exposure') }}

),

available as (

    select distinct recording_index
    from {{ ref('editions') }}
    where unavailable_rule is null

),

segments as (

    select 'everyone' as segment

    union

    select genre as segment
    from {{ ref('int_recording_genres') }}

),

-- Every recording with each of its arms, those of no other with nothing_special.
counted as (

    select
        coalesce(memberships.arm_id, 'nothing_special') as arm_id,
        sum(coalesce(exposure.slots, 0)) as slots,
        count(available.recording_index) as recordings
    from {{ ref('recordings') }} as recordings
    left join memberships on recordings.recording_index = memberships.recording_index
    left join exposure on recordings.recording_index = exposure.recording_index
    left join available on recordings.recording_index = available.recording_index
    group by coalesce(memberships.arm_id, 'nothing_special')

),

arms as (

    select
        arm_id,
        slots,
        recordings
    from counted

    union all

    select
        'nothing_special' as arm_id,
        0 as slots,
        0 as recordings
    where 'nothing_special' not in (select counted.arm_id from counted)

),

shares as (

    select
        arms.arm_id,
        arms.slots / nullif((select sum(exposure.slots) from exposure), 0) as exposure_share,
        arms.recordings / nullif((select count(*) from available), 0) as supply_share
    from arms

),

pooled as (

    select
        variant_id,
        arm_id,
        sum(pulls) as pulls,
        sum(rewards) as rewards,
        cast(sum(rewards_now) as double) as rewards_now,
        cast(sum(refusals_now) as double) as refusals_now
    from feedback
    group by variant_id, arm_id

),

by_segment as (

    select
        variant_id,
        segment,
        arm_id,
        sum(pulls) as pulls,
        sum(rewards) as rewards,
        cast(sum(rewards_now) as double) as rewards_now,
        cast(sum(refusals_now) as double) as refusals_now
    from feedback
    group by variant_id, segment, arm_id

),

everyone as (

    select
        policies.variant_id,
        'everyone' as segment,
        shares.arm_id,
        {{ var('exploration_prior_rewards') }} + coalesce(pooled.rewards_now, 0) as alpha,
        {{ var('exploration_prior_refusals') }} + coalesce(pooled.refusals_now, 0) as beta,
        coalesce(pooled.pulls, 0) as pulls,
        coalesce(pooled.rewards, 0) as rewards,
        shares.exposure_share,
        shares.supply_share
    from shares
    cross join policies
    left join pooled on shares.arm_id = pooled.arm_id and policies.variant_id = pooled.variant_id

),

of_taste as (

    select
        everyone.variant_id,
        segments.segment,
        everyone.arm_id,
        {{ var('exploration_segment_prior_pulls') }} * everyone.alpha / (everyone.alpha + everyone.beta)
        + coalesce(by_segment.rewards_now, 0) as alpha,
        {{ var('exploration_segment_prior_pulls') }} * everyone.beta / (everyone.alpha + everyone.beta)
        + coalesce(by_segment.refusals_now, 0) as beta,
        coalesce(by_segment.pulls, 0) as pulls,
        coalesce(by_segment.rewards, 0) as rewards,
        everyone.exposure_share,
        everyone.supply_share
    from segments
    cross join everyone
    left join by_segment
        on
            segments.segment = by_segment.segment
            and everyone.arm_id = by_segment.arm_id
            and everyone.variant_id = by_segment.variant_id
    where segments.segment <> 'everyone'

),

final as (

    select * from everyone

    union all

    select * from of_taste

)

select
    variant_id,
    segment,
    arm_id,
    cast(alpha as double) as alpha,
    cast(beta as double) as beta,
    cast({{ var('exploration_discount') }} as double) as discount,
    cast(pulls as bigint) as pulls,
    cast(rewards as bigint) as rewards,
    cast(exposure_share as double) as exposure_share,
    cast(supply_share as double) as supply_share
from final
order by variant_id, segment, arm_id
