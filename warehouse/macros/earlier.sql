{# What earlier weeks called the recordings of today. The unit tests stand beside int_renamed_recordings. #}

{% macro is_looked_back_on(column) -%}
    {#- A Monday before this one whose candidates the ranker learns from, or whose lists are scored this week. -#}
    (
        {{ column }} < {{ week() }}
        and (
            {{ column }} >= {{ week() }} - interval ({{ 7 * var('ranker_training_weeks') }}) day
            or {{ column }} = {{ evaluation_window_begin() }}
        )
    )
{%- endmacro %}


{% macro where_most_went(earlier, today) -%}
    {#- One row per week and recording of then: the recording of today that most of its tracks belong to, else the one
        its smallest track belongs to. Tracks keep their ids, recordings don't: an ISRC that lands later renames one.
        earlier: week, track_id, recording_index.  today: track_id, recording_index. -#}
    select
        week,
        earlier_index,
        recording_index
    from (
        select
            earlier.week,
            earlier.recording_index as earlier_index,
            today.recording_index,
            row_number() over (
                partition by earlier.week, earlier.recording_index
                order by count(*) desc, min(earlier.track_id) asc
            ) as place
        from {{ earlier }} as earlier
        inner join {{ today }} as today on earlier.track_id = today.track_id
        group by earlier.week, earlier.recording_index, today.recording_index
    ) as went
    where place = 1
{%- endmacro %}
