with tags as (

    select
        track_id,
        lower(tag) as tag,
        user_id
    from {{ ref('stg_track_tags') }}
    where status = 'usable' and {{ is_known('tagged_at') }}

),

recordings as (

    select
        track_id,
        recording_index
    from {{ ref('int_recordings') }}

),

-- Who tags all editions of a recording has said it once; rows without a person are one each.
final as (

    select
        recordings.recording_index,
        tags.tag,
        count(distinct tags.user_id) + count(*) filter (where tags.user_id is null) as tag_count
    from tags
    inner join recordings on tags.track_id = recordings.track_id
    group by recordings.recording_index, tags.tag

)

select
    recording_index,
    tag,
    tag_count
from final
order by recording_index, tag
