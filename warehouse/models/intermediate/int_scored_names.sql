{{ config(materialized='table') }}

-- Lists of the scored week name recordings as that week did, and their truth has to do so too: a track that it knew is
-- what it took it for; one that came since is what it took most tracks of the same recording for, else the smallest of
-- them. Only tracks whose recording is called otherwise today are here, nearly always few or none.

with tracks as (

    select
        track_id,
        track_index,
        recording_index,
        recording_id
    from {{ ref('int_recordings') }}

),

then_known as (

    select
        editions.track_id,
        recordings.recording_id
    from {{ ref('stg_earlier_editions') }} as editions
    inner join {{ ref('stg_earlier_recordings') }} as recordings
        on editions.week = recordings.week and editions.recording_index = recordings.recording_index
    -- A week whose run never finished gave no lists.
    inner join {{ ref('stg_committed_weeks') }} as committed on editions.week = committed.committed_week
    where editions.week = {{ evaluation_window_begin() }}

),

by_recording as (

    select
        tracks.recording_index,
        then_known.recording_id,
        row_number() over (
            partition by tracks.recording_index
            order by count(*) desc, min(tracks.track_id) asc
        ) as place
    from tracks
    inner join then_known on tracks.track_id = then_known.track_id
    group by tracks.recording_index, then_known.recording_id

),

renamed as (

    select
        tracks.track_index,
        coalesce(then_known.recording_id, by_recording.recording_id) as recording_id
    from tracks
    left join then_known on tracks.track_id = then_known.track_id
    left join by_recording on tracks.recording_index = by_recording.recording_index and by_recording.place = 1
    where coalesce(then_known.recording_id, by_recording.recording_id) <> tracks.recording_id

),

named_today as (

    select distinct
        recording_index,
        recording_id
    from tracks

),

-- Numbers, so that listening is joined by them: that of today's recording of the name, else one after all of today's.
final as (

    select
        renamed.track_index,
        cast(coalesce(
            named_today.recording_index,
            (select max(recording_index) from tracks) + dense_rank() over (order by renamed.recording_id)
        ) as integer) as recording_index,
        renamed.recording_id
    from renamed
    left join named_today on renamed.recording_id = named_today.recording_id

)

select * from final
