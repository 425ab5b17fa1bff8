{{ config(materialized='table') }}

-- Recordings that an earlier week called otherwise: an ISRC or a stated id landed since, or an edition with a smaller
-- id. Nearly always few or none, so that who joins what earlier weeks kept has next to nothing to look up.

with went as (

    {{ where_most_went(ref('stg_earlier_editions'), ref('int_recordings')) }}

),

earlier as (

    select
        week,
        recording_index,
        recording_id
    from {{ ref('stg_earlier_recordings') }}

),

recordings as (

    select
        recording_index,
        recording_id
    from {{ ref('recordings') }}

),

final as (

    select
        went.week,
        earlier.recording_id as earlier_recording_id,
        recordings.recording_id
    from went
    inner join earlier on went.week = earlier.week and went.earlier_index = earlier.recording_index
    inner join recordings on went.recording_index = recordings.recording_index
    where earlier.recording_id <> recordings.recording_id

)

select * from final
