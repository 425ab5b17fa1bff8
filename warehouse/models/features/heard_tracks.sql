with heard as (

    select * from {{ ref('int_heard') }}

),

editions as (

    select
        tracks.track_index,
        editions.edition_index
    from {{ ref('editions') }} as editions
    inner join {{ ref('int_known_tracks') }} as tracks on editions.track_id = tracks.track_id

),

-- Of several editions the most played stands for the recording, of equals the first by track.
grouped as (

    select
        user_index,
        recording_index,
        arg_min(track_index, (-plays, track_index)) as track_index,
        cast(sum(plays) as bigint) as plays,
        bool_or(was_saved) as was_saved,
        bool_or(was_added) as was_added,
        bool_or(was_liked) as was_liked
    from heard
    group by user_index, recording_index

),

final as (

    select
        grouped.user_index,
        grouped.recording_index,
        editions.edition_index,
        grouped.plays,
        grouped.was_saved,
        grouped.was_added,
        grouped.was_liked
    from grouped
    inner join editions on grouped.track_index = editions.track_index

)

select
    user_index,
    recording_index,
    edition_index,
    plays,
    was_saved,
    was_added,
    was_liked
from final
order by user_index, recording_index
