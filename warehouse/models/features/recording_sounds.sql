with sounds as (

    select
        track_id,
        path,
        row_number() over (partition by track_id order by file_number desc, _row desc) as versions_ago
    from {{ ref('stg_audio') }}
    where status = 'usable'

),

editions as (

    select
        edition_index,
        recording_index,
        track_id
    from {{ ref('editions') }}

),

-- The sound of a recording is that of its most heard edition that has one.
ranked as (

    select
        editions.recording_index,
        sounds.track_id,
        sounds.path,
        row_number() over (partition by editions.recording_index order by editions.edition_index) as choice
    from sounds
    inner join editions on sounds.track_id = editions.track_id
    where sounds.versions_ago = 1

)

select
    recording_index,
    track_id,
    path
from ranked
where choice = 1
order by recording_index
