{% macro as_vector(numbers, size) -%}
    {{ return(adapter.dispatch('as_vector', 'monday_mix')(numbers, size)) }}
{%- endmacro %}

{% macro duckdb__as_vector(numbers, size) -%}
    {#- A list as a vector of so many numbers; one of zeros says nothing and is null. -#}
    cast(nullif({{ numbers }}, list_resize(cast([] as float[]), {{ size }}, cast(0 as float))) as float[{{ size }}])
{%- endmacro %}


{% macro sum_of_vectors(first, second, third) -%}
    {{ return(adapter.dispatch('sum_of_vectors', 'monday_mix')(first, second, third)) }}
{%- endmacro %}

{% macro duckdb__sum_of_vectors(first, second, third) -%}
    {#- Of three lists of the same length; null where the first is. -#}
    case
        when {{ first }} is not null
            then list_transform(
                list_zip({{ first }}, {{ second }}, {{ third }}), lambda parts: parts[1] + parts[2] + parts[3]
            )
    end
{%- endmacro %}
