{% macro contracted_size(column) -%}
    {#- Numbers in a vector column, as the model's contract says: float[128] has 128. -#}
    {%- set type = model.columns[column].data_type if column in model.columns else 'float[1]' -%}
    {{ return(type.split('[')[1].rstrip(']')) }}
{%- endmacro %}
