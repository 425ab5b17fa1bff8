{% macro time_zone_names() -%}
    {{ return(adapter.dispatch('time_zone_names', 'monday_mix')()) }}
{%- endmacro %}

{% macro duckdb__time_zone_names() -%}
    pg_timezone_names()
{%- endmacro %}


{% macro start_of_day_in(zone, day) -%}
    {{ return(adapter.dispatch('start_of_day_in', 'monday_mix')(zone, day)) }}
{%- endmacro %}

{% macro duckdb__start_of_day_in(zone, day) -%}
    {#- The UTC moment at which `day` begins in `zone`. -#}
    cast(timezone({{ zone }}, cast({{ day }} as timestamp)) as timestamp)
{%- endmacro %}
