{% macro narrow_key(text) -%}
    {{ return(adapter.dispatch('narrow_key', 'monday_mix')(text)) }}
{%- endmacro %}

{% macro duckdb__narrow_key(text) -%}
    {#- The md5 of a text as a number: 16 bytes are compared and kept faster than text. -#}
    md5_number({{ text }})
{%- endmacro %}
