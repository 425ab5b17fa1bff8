select
    user_index,
    genre_kl,
    genre_kl_least,
    popularity_kl,
    popularity_kl_least
from {{ source('ml', 'playlist_mixes') }}
where week = {{ week() }}
