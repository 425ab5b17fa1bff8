{{ config(tags=['marts'], meta={'dagster': {'ref': {'name': 'weekly_playlist_tracks'}}}) }}

select
    user_id,
    position,
    final_score
from {{ ref('weekly_playlist_tracks') }}
where
    abs(
        contribution_collaborative + contribution_artist_affinity + contribution_text + contribution_audio
        + contribution_popularity + contribution_freshness + contribution_boost + contribution_demand
        + contribution_genre_affinity + contribution_context - final_score
    ) > 1e-6
    or final_score is null
    or isnan(final_score)
