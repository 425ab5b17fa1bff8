-- Which recordings a slot of an arm can hold. What is of no arm here is of the arm nothing_special.

with recordings as (

    select
        recording_index,
        known_days,
        listener_count
    from {{ ref('recordings') }}

),

first_artists as (

    select
        recording_index,
        arg_min(artist_index, edition_index) as artist_index
    from {{ ref('editions') }}
    group by recording_index

),

new_artists as (

    select first_artists.artist_index
    from first_artists
    inner join recordings on first_artists.recording_index = recordings.recording_index
    group by first_artists.artist_index
    having
        max(recordings.known_days) <= {{ var('exploration_new_artist_days') }}
        or sum(recordings.listener_count) < {{ var('exploration_new_artist_listeners') }}

),

by_new_artists as (

    select
        first_artists.recording_index,
        'new_artist' as arm_id
    from first_artists
    inner join new_artists on first_artists.artist_index = new_artists.artist_index

),

of_genres as (

    select
        genres.recording_index,
        'genre:' || genres.genre as arm_id
    from {{ ref('int_recording_genres') }} as genres
    inner join {{ ref('int_genre_arms') }} as arms on genres.genre = arms.genre

),

final as (

    select
        recording_index,
        arm_id
    from by_new_artists

    union all

    select
        recording_index,
        arm_id
    from of_genres

)

select
    recording_index,
    arm_id
from final
order by recording_index, arm_id
