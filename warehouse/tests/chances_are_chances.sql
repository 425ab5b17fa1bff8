{{ config(tags=['marts'], meta={'dagster': {'ref': {'name': 'weekly_playlist_tracks'}}}) }}

-- Between nothing and one; an arm, its chance and its segment where an arm was drawn and nowhere else; thirty draws a
-- list, numbered, those of arms before all others. What took the place of a track that was taken down was not drawn, and a
-- list that has such a slot, or a row less, has lost a number.

select
    week,
    user_id,
    position,
    slot_kind,
    segment,
    arm_id,
    p_arm,
    p_track,
    feasible_count,
    draw_number,
    propensity_valid
from {{ ref('weekly_playlist_tracks') }}
qualify
    is_refill <> (draw_number is null)
    or is_refill <> (p_track is null)
    or (is_refill and (propensity_valid or feasible_count is not null))
    or p_track <= 0 or p_track > 1 + 1e-9
    or p_arm <= 0 or p_arm > 1 + 1e-9
    or (slot_kind = 'explore') <> (arm_id is not null)
    or (arm_id is null) <> (p_arm is null)
    or (arm_id is null) <> (segment is null)
    or (arm_id is not null and feasible_count is null)
    or (feasible_count is null and p_track <> 1)
    or feasible_count < 1
    or (slot_kind = 'explore' and not propensity_valid)
    or (
        count(draw_number) over (partition by user_id) = 30
        and (
            draw_number <> row_number() over (partition by user_id order by draw_number)
            or (slot_kind = 'explore' and draw_number > count(arm_id) over (partition by user_id))
        )
    )
