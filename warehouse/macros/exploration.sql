{# What a slot given by chance tells of its arm. Unit tests stand beside bandit_feedback and arm_posteriors. #}

{% macro is_pull(reached_at) -%}
    {#- A slot that nobody came to says nothing of what was in it. -#}
    ({{ reached_at }} is not null)
{%- endmacro %}


{% macro is_reward(reached_at, completed, saved) -%}
    {#- Heard to the end, or saved. -#}
    ({{ is_pull(reached_at) }} and ({{ completed }} or {{ saved }}))
{%- endmacro %}


{% macro discounted(amount, age_weeks) -%}
    {#- amount * discount ^ age; a list a week old has age 1. DECIMAL, so that sums don't depend on order. -#}
    cast(({{ amount }}) * pow({{ var('exploration_discount') }}, greatest({{ age_weeks }}, 0)) as decimal(18, 6))
{%- endmacro %}
