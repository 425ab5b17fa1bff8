with documents as (

    select * from {{ ref('stg_documents') }}

),

recordings as (

    select
        track_id,
        recording_index
    from {{ ref('int_recordings') }}

),

known as (

    select
        *,
        row_number() over (partition by document_id order by file_number desc, _row desc) as versions_ago
    from documents
    where status = 'usable' and {{ is_known('published_at') }}

),

latest as (

    select
        cast(row_number() over (order by document_id) - 1 as integer) as document_index,
        document_id,
        title,
        body,
        track_ids
    from known
    where versions_ago = 1

),

named as (

    select
        document_index,
        trim(unnest(track_ids)) as track_id
    from latest

),

about as (

    select
        named.document_index,
        list(distinct recordings.recording_index order by recordings.recording_index) as recording_indexes
    from named
    inner join recordings on named.track_id = recordings.track_id
    group by named.document_index

),

final as (

    select
        latest.document_index,
        latest.document_id,
        latest.title,
        latest.body,
        coalesce(about.recording_indexes, []) as recording_indexes
    from latest
    left join about on latest.document_index = about.document_index

)

select
    document_index,
    document_id,
    title,
    body,
    recording_indexes
from final
order by document_index
