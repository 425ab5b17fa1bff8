with heard as (

    select * from {{ ref('int_heard') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('listeners') }}

),

editions as (

    select
        edition_index,
        recording_index,
        track_id
    from {{ ref('editions') }}

),

ranked as (

    select
        listeners.user_index,
        editions.recording_index,
        editions.edition_index,
        cast(sum(heard.plays) over (partition by heard.user_id, heard.recording_id) as bigint) as plays,
        bool_or(heard.was_saved) over (partition by heard.user_id, heard.recording_id) as was_saved,
        bool_or(heard.was_added) over (partition by heard.user_id, heard.recording_id) as was_added,
        bool_or(heard.was_liked) over (partition by heard.user_id, heard.recording_id) as was_liked,
        row_number() over (
            partition by heard.user_id, heard.recording_id order by heard.plays desc, heard.track_id asc
        ) as edition_rank
    from heard
    inner join listeners on heard.user_id = listeners.user_id
    inner join editions on heard.track_id = editions.track_id

),

final as (

    select
        user_index,
        recording_index,
        edition_index,
        plays,
        was_saved,
        was_added,
        was_liked
    from ranked
    where edition_rank = 1

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
