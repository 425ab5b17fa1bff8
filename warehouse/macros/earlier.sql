{# What earlier weeks called the recordings of today. The unit tests stand beside int_renamed_recordings. #}

{% macro of_earlier_weeks(table, columns) -%}
    {#- Columns (name: type) of a table of the features as the lake keeps it, with the week of each row; without rows
        where no week has it yet, since DuckDB refuses a pattern that no file fits. -#}
    {%- set kept = source('earlier_catalogue', table) -%}
    {%- set files = env_var('MONDAY_MIX_HOME', '../var') ~ '/lake/features/' ~ table ~ '/*/*.parquet' -%}
    {%- if not execute or run_query("select 1 from glob('" ~ files ~ "') limit 1").rows | length -%}
        select
            cast(week as date) as week,
            {{ columns.keys() | join(',\n            ') }}
        from {{ kept }}
    {%- else -%}
        select
            cast(null as date) as week,
            {%- for name, type in columns.items() %}
            cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
            {%- endfor %}
        limit 0
    {%- endif -%}
{%- endmacro %}


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
