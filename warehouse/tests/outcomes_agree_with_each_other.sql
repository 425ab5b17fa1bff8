{{ config(tags=['marts'], meta={'dagster': {'ref': {'name': 'playlist_slot_outcomes'}}}) }}

-- What was played was reached, what was reached was delivered, and nothing is known from after the cut.

select
    week,
    user_id,
    position,
    delivered_at,
    reached_at,
    completed,
    saved,
    skipped_early,
    outcome_final,
    input_cutoff_at
from {{ ref('playlist_slot_outcomes') }}
where
    reached_at < delivered_at
    or (reached_at is not null and delivered_at is null)
    or ((ms_played is not null or completed or saved or skipped_early) and reached_at is null)
    or (completed and skipped_early)
    or reached_at >= input_cutoff_at
    or week >= input_cutoff_at
    or (outcome_final and input_cutoff_at < week + interval 27 day)
