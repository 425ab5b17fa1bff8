{% macro hash_bucket(text, buckets) -%}
    {{ return(adapter.dispatch('hash_bucket', 'monday_mix')(text, buckets)) }}
{%- endmacro %}

{% macro duckdb__hash_bucket(text, buckets) -%}
    {#- 0 to buckets - 1, from the first 60 bits of the text's md5: the same on every engine that has md5 in hex. -#}
    cast(cast('0x' || substr(md5({{ text }}), 1, 15) as bigint) % {{ buckets }} as integer)
{%- endmacro %}
