-- Candidates that earlier weeks kept, of the weeks the ranker learns from. Those are named by their dates, so that files
-- of others are not read.

select
    week,
    user_id,
    recording_id,
    position,
    rung,
    standing,
    cosine,
    artist_nearness,
    text_share,
    text_affinity,
    audio_share,
    audio_affinity,
    age_days,
    popularity_percentile,
    market_strength,
    artist_tracks,
    artist_plays,
    is_new_artist,
    near_disliked,
    genre_taste,
    genre_best,
    rated_recordings,
    disliked_share,
    linear_score
from {{ source('earlier_candidates', 'ranking_features') }}
where
    week >= {{ week() }} - interval ({{ 7 * var('ranker_training_weeks') }}) day
    and week < {{ week() }}
