-- The latest total known before the Monday of everything that ever had one; a total without a date is always known, and
-- oldest. A total that fell back to nothing weighs nothing, and the track stays heard.

with counts as (

    select * from {{ ref('stg_play_counts') }}

),

listeners as (

    select
        user_index,
        user_id
    from {{ ref('int_listeners') }}

),

recordings as (

    select * from {{ ref('int_recordings') }}

),

known as (

    select
        *,
        row_number() over (
            partition by user_id, track_id
            order by observed_at desc nulls last, file_number desc, _row desc
        ) as totals_ago,
        max(play_count) over (partition by user_id, track_id) as highest_count
    from counts
    where status = 'usable' and {{ is_known('observed_at') }}

),

final as (

    select
        listeners.user_index,
        recordings.track_index,
        recordings.recording_index,
        known.play_count
    from known
    inner join listeners on known.user_id = listeners.user_id
    inner join recordings on known.track_id = recordings.track_id
    where known.totals_ago = 1 and known.highest_count > 0

)

select * from final
