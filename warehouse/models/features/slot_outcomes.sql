-- What became of each slot, as far as it is known before the Monday. Everything after the list's last day is left out,
-- so that a row which is final stays as it is.

with slots as (

    select * from {{ ref('int_open_slots') }}

),

listening as (

    select
        user_index,
        track_index,
        recording_index,
        list_week,
        event_type,
        occurred_at,
        ms_played,
        context_class,
        is_listening,
        is_hearing,
        is_skip,
        {{ is_completion('is_listening', 'is_skip', 'completion_thousandths') }} as is_completed
    from {{ ref('int_listening') }}

),

in_lists as (

    select *
    from listening
    where list_week is not null and (is_listening or event_type = 'impression')

),

statements as (

    select
        user_index,
        recording_index,
        occurred_at
    from listening
    where event_type in ('save', 'like', 'playlist_add')

),

-- Whatever list of ours a play came from, it says nothing about coming back of one's own accord.
organic as (

    select
        user_index,
        track_index,
        recording_index,
        occurred_at
    from listening
    where
        is_listening
        and is_hearing
        and context_class <> 'own_playlist'
        and occurred_at >= (select min(available_at) from slots)

),

credits as (

    select
        tracks.track_index,
        unnest(editions.artist_indexes) as artist_index
    from {{ ref('editions') }} as editions
    inner join {{ ref('int_known_tracks') }} as tracks on editions.track_id = tracks.track_id

),

lists as (

    select distinct
        user_index,
        list_week,
        closes_at
    from slots

),

delivered as (

    select
        lists.user_index,
        lists.list_week,
        min(in_lists.occurred_at) as delivered_at
    from lists
    inner join in_lists on lists.user_index = in_lists.user_index and lists.list_week = in_lists.list_week
    where in_lists.occurred_at < lists.closes_at
    group by lists.user_index, lists.list_week

),

-- Two places of a list may be one recording today. Where a week's lists give a recording by one track there are none, so
-- that listeners are looked at for few recordings.
several_tracks as (

    select
        list_week,
        recording_index
    from slots
    group by list_week, recording_index
    having min(track_index) < max(track_index)

),

twice_in_a_list as (

    select
        slots.user_index,
        slots.list_week,
        slots.recording_index
    from slots
    inner join several_tracks
        on slots.list_week = several_tracks.list_week and slots.recording_index = several_tracks.recording_index
    group by slots.user_index, slots.list_week, slots.recording_index
    having count(*) > 1

),

-- One play counts for one slot: the one whose own track was played first, else the first of them.
one_recording as (

    select
        slots.user_index,
        slots.list_week,
        slots.position,
        row_number() over (
            partition by slots.user_index, slots.list_week, slots.recording_index
            order by min(in_lists.occurred_at) asc nulls last, slots.position asc
        ) as place
    from slots
    inner join twice_in_a_list
        on
            slots.user_index = twice_in_a_list.user_index
            and slots.list_week = twice_in_a_list.list_week
            and slots.recording_index = twice_in_a_list.recording_index
    left join in_lists
        on
            slots.user_index = in_lists.user_index
            and slots.list_week = in_lists.list_week
            and slots.track_index = in_lists.track_index
            and in_lists.is_listening
            and in_lists.occurred_at < slots.closes_at
    group by slots.user_index, slots.list_week, slots.recording_index, slots.position

),

passed_over as (

    select
        user_index,
        list_week,
        position
    from one_recording
    where place > 1

),

-- By recording: the player may have had another edition.
reached as (

    select
        slots.user_index,
        slots.list_week,
        slots.position,
        any_value(slots.recording_index) as recording_index,
        any_value(slots.closes_at) as closes_at,
        min(in_lists.occurred_at) as reached_at,
        max(in_lists.ms_played) filter (where in_lists.is_listening) as ms_played,
        bool_or(in_lists.is_completed) as is_completed,
        bool_or(in_lists.is_skip) as is_skipped
    from slots
    inner join in_lists
        on
            slots.user_index = in_lists.user_index
            and slots.list_week = in_lists.list_week
            and slots.recording_index = in_lists.recording_index
    left join passed_over
        on
            slots.user_index = passed_over.user_index
            and slots.list_week = passed_over.list_week
            and slots.position = passed_over.position
    where in_lists.occurred_at < slots.closes_at and passed_over.position is null
    group by slots.user_index, slots.list_week, slots.position

),

saved as (

    select distinct
        reached.user_index,
        reached.list_week,
        reached.position,
        true as is_saved
    from reached
    inner join statements
        on reached.user_index = statements.user_index and reached.recording_index = statements.recording_index
    where statements.occurred_at >= reached.reached_at and statements.occurred_at < reached.closes_at

),

recording_plays as (

    select
        slots.user_index,
        slots.list_week,
        slots.position,
        count(*) as plays
    from slots
    inner join organic
        on slots.user_index = organic.user_index and slots.recording_index = organic.recording_index
    left join passed_over
        on
            slots.user_index = passed_over.user_index
            and slots.list_week = passed_over.list_week
            and slots.position = passed_over.position
    where
        organic.occurred_at >= slots.available_at
        and organic.occurred_at < slots.closes_at
        and passed_over.position is null
    group by slots.user_index, slots.list_week, slots.position

),

artist_plays as (

    select
        slots.user_index,
        slots.list_week,
        slots.position,
        count(*) as plays
    from slots
    inner join (
        select
            organic.user_index,
            credits.artist_index,
            organic.occurred_at
        from organic
        inner join credits on organic.track_index = credits.track_index
    ) as credited
        on slots.user_index = credited.user_index and slots.artist_index = credited.artist_index
    where credited.occurred_at >= slots.available_at and credited.occurred_at < slots.closes_at
    group by slots.user_index, slots.list_week, slots.position

),

final as (

    select
        user_index,
        list_week,
        position,
        delivered.delivered_at,
        reached.reached_at,
        reached.ms_played,
        coalesce(reached.is_completed, false) as completed,
        coalesce(saved.is_saved, false) as saved,
        coalesce(reached.is_skipped and not reached.is_completed, false) as skipped_early,
        cast(coalesce(recording_plays.plays, 0) as integer) as organic_plays_28d,
        cast(coalesce(artist_plays.plays, 0) as integer) as artist_organic_plays_28d,
        slots.closes_at <= {{ week() }} as outcome_final
    from slots
    left join delivered using (user_index, list_week)
    left join reached using (user_index, list_week, position)
    left join saved using (user_index, list_week, position)
    left join recording_plays using (user_index, list_week, position)
    left join artist_plays using (user_index, list_week, position)

)

select
    user_index,
    list_week,
    position,
    delivered_at,
    reached_at,
    ms_played,
    completed,
    saved,
    skipped_early,
    organic_plays_28d,
    artist_organic_plays_28d,
    outcome_final
from final
order by list_week, user_index, position
