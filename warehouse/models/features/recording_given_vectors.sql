with vectors as (

    select
        track_id,
        vector,
        coalesce(lower(kind), 'audio') as kind,
        row_number() over (
            partition by track_id, coalesce(lower(kind), 'audio')
            order by file_number desc, _row desc
        ) as versions_ago
    from {{ ref('stg_track_vectors') }}
    where status = 'usable'

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
        editions.recording_index,
        vectors.kind,
        vectors.track_id,
        vectors.vector,
        row_number() over (
            partition by editions.recording_index, vectors.kind
            order by editions.edition_index
        ) as choice
    from vectors
    inner join editions on vectors.track_id = editions.track_id
    where vectors.versions_ago = 1

)

select
    recording_index,
    kind,
    track_id,
    vector
from ranked
where choice = 1
order by recording_index, kind
