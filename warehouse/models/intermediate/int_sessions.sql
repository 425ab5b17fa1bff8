-- Sessions are what the source calls one; where it names none, listening without a longer silence.

with listening as (

    select
        user_id,
        session_id,
        occurred_at,
        is_skip
    from {{ ref('int_listening') }}
    where is_listening

),

silences as (

    select
        *,
        coalesce(
            date_diff(
                'second',
                lag(occurred_at) over (partition by user_id, session_id order by occurred_at),
                occurred_at
            ) > 60 * {{ var('session_gap_minutes') }},
            true
        ) as follows_silence
    from listening

),

numbered as (

    select
        *,
        case
            when session_id is null
                then sum(case when follows_silence then 1 else 0 end) over (
                    partition by user_id, session_id order by occurred_at
                    range between unbounded preceding and current row
                )
        end as silence_number
    from silences

),

final as (

    select
        user_id,
        coalesce(session_id, 'silence:' || silence_number) as session_id,
        min(occurred_at) as started_at,
        max(occurred_at) as last_event_at,
        count(*) as listen_count,
        count(*) filter (where is_skip) as skip_count
    from numbered
    group by user_id, coalesce(session_id, 'silence:' || silence_number)

)

select * from final
