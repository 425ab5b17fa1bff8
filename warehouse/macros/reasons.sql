{# What a reason led to. Unit tests stand beside reason_lifts. #}

{% macro lift(completed, foretold, towards) -%}
    {#- Completions a foretold one, drawn towards `towards` as if so many more had been foretold and it had held. -#}
    {%- set prior = var('reasons_prior_completions') -%}
    (cast({{ completed }} as double) + {{ prior }} * {{ towards }}) / (cast({{ foretold }} as double) + {{ prior }})
{%- endmacro %}
