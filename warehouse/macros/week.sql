{% macro week() -%}
    {#- The Monday that is built, as a DATE expression: the variable, the environment, else the newest
        Monday whose input files are listed, else this week's. -#}
    {#- Named whether it is read or not: what a model stands on is told when the project is parsed, once for all weeks. -#}
    {%- set week_files = source('inputs', 'week_files') -%}
    {%- set given = var('week', '') or env_var('MONDAY_MIX_WEEK', '') -%}
    {%- if given -%}
        date '{{ given }}'
    {%- else -%}
        (
            select coalesce(max(landed.week), date_trunc('week', current_date)::date)
            from {{ week_files }} as landed
            where landed.week > date '1970-01-05'
        )
    {%- endif -%}
{%- endmacro %}


{% macro weeks_before_week(column) -%}
    {#- Whole weeks from the Monday in `column` to the Monday that is built. -#}
    cast(floor(date_diff('day', {{ column }}, {{ week() }}) / 7) as integer)
{%- endmacro %}


{% macro parent_week() -%}
    {#- The newest Monday before it whose run had finished, as a DATE expression: the environment, else as the
        week's inputs list them. Without one, a week that has no rows. -#}
    {%- set committed_weeks = source('inputs', 'committed_weeks') -%}
    {%- set week_built = week() -%}
    {%- set given = env_var('MONDAY_MIX_PARENT_WEEK', '') -%}
    {%- if given -%}
        date '{{ given }}'
    {%- else -%}
        (
            select max(earlier.committed_week)
            from {{ committed_weeks }} as earlier
            where earlier.week = {{ week_built }}
        )
    {%- endif -%}
{%- endmacro %}
