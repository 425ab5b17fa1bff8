-- What a listener said of a recording and has not taken back: the last word of each kind holds. A save
-- does not decay; once unsaved, what is left of it does.

with listening as (

    select
        user_index,
        recording_index,
        event_type,
        occurred_at,
        occurred_on,
        context_class,
        file_number,
        _row,
        case
            when event_type in ('save', 'unsave') then 'saved'
            when event_type in ('playlist_add', 'playlist_remove') then 'added'
            when event_type in ('like', 'dislike') then 'liked'
        end as statement
    from {{ ref('int_listening') }}
    where event_type in ('save', 'unsave', 'playlist_add', 'playlist_remove', 'like', 'dislike')

),

weights as (

    select * from {{ event_weights() }}

),

spoken as (

    select
        *,
        row_number() over (
            partition by user_index, recording_index, statement
            order by occurred_at desc, file_number desc, _row desc
        ) as words_ago
    from listening

),

final as (

    select
        spoken.user_index,
        spoken.recording_index,
        spoken.event_type,
        {{ decayed(
            'weights.sign * weights.weight',
            "date_diff('day', spoken.occurred_on, " ~ week() ~ ")",
            half_life('weights.half_life_days')
        ) }} as engagement
    from spoken
    inner join weights
        on spoken.event_type = weights.event_type and spoken.context_class = weights.context_class
    where spoken.words_ago = 1

)

select * from final
