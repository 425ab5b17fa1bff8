-- Sessions are what the source calls one; where it names none, listening without a longer silence. Only what has no name
-- is put in order.

with listening as (

    select
        user_index,
        session_id,
        occurred_at,
        is_skip
    from {{ ref('int_listening') }}
    where is_listening

),

silences as (

    select
        user_index,
        occurred_at,
        is_skip,
        coalesce(
            date_diff(
                'second',
                lag(occurred_at) over (partition by user_index order by occurred_at),
                occurred_at
            ) > 60 * {{ var('session_gap_minutes') }},
            true
        ) as follows_silence
    from listening
    where session_id is null

),

numbered as (

    select
        *,
        sum(case when follows_silence then 1 else 0 end) over (
            partition by user_index order by occurred_at
            range between unbounded preceding and current row
        ) as silence_number
    from silences

),

sessions as (

    select
        user_index,
        session_id,
        min(occurred_at) as started_at,
        max(occurred_at) as last_event_at,
        count(*) as listen_count,
        count(*) filter (where is_skip) as skip_count
    from listening
    where session_id is not null
    group by user_index, session_id

    union all

    select
        user_index,
        'silence:' || silence_number as session_id,
        min(occurred_at) as started_at,
        max(occurred_at) as last_event_at,
        count(*) as listen_count,
        count(*) filter (where is_skip) as skip_count
    from numbered
    group by user_index, silence_number

)

select * from sessions
