select
    user_index,
    position,
    recording_index,
    edition_index,
    listener_rung,
    track_rung,
    candidate_sources,
    primary_source,
    is_new_artist,
    artist_prior_plays,
    popularity_percentile,
    final_score,
    contribution_collaborative,
    contribution_artist_affinity,
    contribution_text,
    contribution_audio,
    contribution_popularity,
    contribution_freshness,
    reason_code,
    anchor_recording_index,
    shared_playlist_index
from {{ source('ml', 'playlist_slots') }}
where week = {{ week() }}
