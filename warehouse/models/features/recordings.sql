with recordings as (

    select * from {{ ref('int_recordings') }}

),

tracks as (

    select
        track_id,
        released_on,
        available_on
    from {{ ref('int_known_tracks') }}

),

boosted as (

    select
        track_id,
        is_boosted
    from {{ ref('int_overrides') }}

),

engaged as (

    select
        recording_index,
        count(*) as listener_count
    from {{ ref('int_engagement') }}
    where engagement > 0
    group by recording_index

),

recent as (

    select
        recording_index,
        cast(sum(listener_count) as bigint) as recent_listener_count
    from {{ ref('int_recent_listening') }}
    group by recording_index

),

heard as (

    select
        recording_index,
        min(first_heard_at) as first_heard_at,
        max(last_heard_at) as last_heard_at
    from {{ ref('int_heard') }}
    group by recording_index

),

released as (

    select
        recordings.recording_index,
        any_value(recordings.recording_id) as recording_id,
        min(tracks.released_on) as released_on,
        min(tracks.available_on) as available_on,
        coalesce(bool_or(boosted.is_boosted), false) as is_boosted
    from recordings
    inner join tracks on recordings.track_id = tracks.track_id
    left join boosted on recordings.track_id = boosted.track_id
    group by recordings.recording_index

),

counted as (

    select
        released.recording_index,
        released.recording_id,
        released.released_on,
        -- A track can be available before its day of release; null stays null, which greatest() would lose.
        case
            when released.released_on > {{ week() }} then 0
            else date_diff('day', released.released_on, {{ week() }})
        end as age_days,
        date_diff('day', cast(heard.last_heard_at as date), {{ week() }}) as idle_days,
        -- By the catalogue: what a new source brings is first heard today and may have been out for decades.
        case
            when released.available_on is not null
                then greatest(0, date_diff('day', released.available_on, {{ week() }}))
            when heard.recording_index is null then 0
        end as out_days,
        -- Out for so long, as far as is known: from its first day, else from when it was first heard.
        greatest(0, date_diff(
            'day', coalesce(released.available_on, cast(heard.first_heard_at as date)), {{ week() }}
        )) as known_days,
        coalesce(engaged.listener_count, 0) as listener_count,
        coalesce(recent.recent_listener_count, 0) as recent_listener_count,
        released.is_boosted
    from released
    left join engaged on released.recording_index = engaged.recording_index
    left join recent on released.recording_index = recent.recording_index
    left join heard on released.recording_index = heard.recording_index

),

final as (

    select
        recording_index,
        recording_id,
        released_on,
        cast(age_days as integer) as age_days,
        cast(idle_days as integer) as idle_days,
        cast(out_days as integer) as out_days,
        cast(known_days as integer) as known_days,
        listener_count,
        recent_listener_count,
        percent_rank() over (order by listener_count) as popularity_percentile,
        is_boosted
    from counted

)

select
    recording_index,
    recording_id,
    released_on,
    age_days,
    idle_days,
    out_days,
    known_days,
    listener_count,
    recent_listener_count,
    popularity_percentile,
    is_boosted
from final
order by recording_index
