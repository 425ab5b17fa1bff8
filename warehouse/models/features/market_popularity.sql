-- What is heard lately in each market, and under market '' everywhere; where nothing has a date, what
-- most listeners know. At the end of '', as many again that nobody has heard: a catalogue that few listen
-- to has to fill lists too.

with recent as (

    select * from {{ ref('int_recent_listening') }}

),

recordings as (

    select
        recording_index,
        listener_count,
        recent_listener_count
    from {{ ref('recordings') }}

),

counted as (

    select
        '' as market,
        recording_index,
        recent_listener_count as listener_count,
        listener_count as all_time_listener_count
    from recordings

    union all

    select
        recent.market,
        recordings.recording_index,
        recent.listener_count,
        recordings.listener_count as all_time_listener_count
    from recent
    inner join recordings on recent.recording_index = recordings.recording_index
    where recent.market <> ''

),

ranked as (

    select
        market,
        recording_index,
        case when listener_count > 0 then listener_count else all_time_listener_count end as listener_count,
        cast(row_number() over (
            partition by market
            order by listener_count desc, all_time_listener_count desc, recording_index asc
        ) as integer) as popularity_rank,
        row_number() over (
            partition by market, listener_count + all_time_listener_count > 0
            order by listener_count desc, all_time_listener_count desc, recording_index asc
        ) as rank_of_its_kind
    from counted

),

final as (

    select
        market,
        recording_index,
        listener_count,
        popularity_rank
    from ranked
    where rank_of_its_kind <= {{ var('popular_tracks_per_market') }}

)

select
    market,
    recording_index,
    listener_count,
    popularity_rank as rank
from final
order by market, rank
