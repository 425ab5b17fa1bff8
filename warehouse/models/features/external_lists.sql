-- Lists that another system gave for the Monday that is scored this week, as recordings, which go by that Monday's names
-- like those of our own lists. The last row by file and row holds for a place; a recording that a list has twice, in two
-- editions, stands where it first does.

with given as (

    select
        program_id,
        user_id,
        position,
        track_id,
        row_number() over (
            partition by program_id, user_id, position
            order by file_number desc, _row desc
        ) as versions_ago
    from {{ ref('stg_external_playlists') }}
    where status = 'usable' and week = {{ evaluation_window_begin() }}

),

listeners as (

    select user_id
    from {{ ref('int_listeners') }}

),

recordings as (

    select
        tracks.track_id,
        coalesce(renamed.recording_id, recordings.recording_id) as recording_id
    from {{ ref('int_recordings') }} as tracks
    inner join {{ ref('recordings') }} as recordings on tracks.recording_index = recordings.recording_index
    left join {{ ref('int_scored_names') }} as renamed on tracks.track_index = renamed.track_index

),

final as (

    select
        given.program_id,
        cast({{ evaluation_window_begin() }} as date) as as_of_week,
        given.user_id,
        cast(min(given.position) as integer) as position,
        recordings.recording_id
    from given
    inner join listeners on given.user_id = listeners.user_id
    inner join recordings on given.track_id = recordings.track_id
    where given.versions_ago = 1
    group by given.program_id, given.user_id, recordings.recording_id

)

select
    program_id,
    as_of_week,
    user_id,
    position,
    recording_id
from final
order by program_id, user_id, position
