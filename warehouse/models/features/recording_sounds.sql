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
        track_id,
        genres
    from {{ ref('editions') }}

),

tracks as (

    select
        track_id,
        language
    from {{ ref('int_known_tracks') }}

),

-- The sound of a recording is that of its most heard edition that has one.
ranked as (

    select
        editions.recording_index,
        sounds.track_id,
        sounds.path,
        list_sort(list_distinct(list_transform(editions.genres, lambda genre: lower(trim(genre))))) as genres,
        -- 'zxx' is the code for no words at all; a language that isn't stated says nothing.
        tracks.language = 'zxx' as is_instrumental,
        row_number() over (partition by editions.recording_index order by editions.edition_index) as choice
    from sounds
    inner join editions on sounds.track_id = editions.track_id
    inner join tracks on sounds.track_id = tracks.track_id
    where sounds.versions_ago = 1

)

select
    recording_index,
    track_id,
    path,
    genres,
    is_instrumental
from ranked
where choice = 1
order by recording_index
