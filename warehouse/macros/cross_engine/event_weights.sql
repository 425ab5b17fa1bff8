{# A table of feedback weights outside the warehouse. #}

{% macro own_event_weights(path) -%}
    {{ return(adapter.dispatch('own_event_weights', 'monday_mix')(path)) }}
{%- endmacro %}


{% macro duckdb__own_event_weights(path) -%}
    read_csv('{{ path | replace("'", "''") }}', header = true, columns = {
        'weights_version': 'integer', 'event_type': 'varchar', 'context_class': 'varchar', 'sign': 'integer',
        'weight': 'double', 'half_life_days': 'double', 'daily_cap': 'integer'
    })
{%- endmacro %}
