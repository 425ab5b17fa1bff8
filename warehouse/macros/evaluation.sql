{# What lists are scored against. The unit tests stand beside evaluation_truth. #}

{% macro evaluation_window_begin() -%}
    {#- The Monday whose lists are scored this week; what is first heard from then on is their truth. -#}
    ({{ week() }} - interval ({{ 7 * var('evaluation_window_weeks') }}) day)
{%- endmacro %}


{% macro is_completion(is_listening, is_skip, completion_thousandths) -%}
    {#- Played to the end, give or take a fade-out: nine tenths, and not left by the listener's act. -#}
    ({{ is_listening }} and not {{ is_skip }} and {{ completion_thousandths }} >= 900)
{%- endmacro %}


{% macro still_holds(said_at, taken_back_at) -%}
    {#- Said, and not taken back in the same moment or later. -#}
    coalesce({{ said_at }} > {{ taken_back_at }}, {{ said_at }} is not null)
{%- endmacro %}


{% macro is_kept(saved_at, unsaved_at, added_at, removed_at, liked_at, disliked_at, blocked_at, completions) -%}
    {#- Saved, liked or added to a playlist and not taken back, or completed twice; never what was disliked
        last, or blocked. -#}
    (
        (
            {{ still_holds(saved_at, unsaved_at) }}
            or {{ still_holds(added_at, removed_at) }}
            or {{ still_holds(liked_at, disliked_at) }}
            or {{ completions }} >= 2
        )
        and not {{ still_holds(disliked_at, liked_at) }}
        and {{ blocked_at }} is null
    )
{%- endmacro %}


{% macro gini_coefficient(below_the_last, total, recordings) -%}
    {#- Gini coefficient of how often each of m recordings is given, 0 alike, 1 - 1 / m where one is given alone:
        2 * sum(place * x) / (m * sum(x)) - (m + 1) / m over all in ascending order. below_the_last is
        sum((place - m) * x), so that the places of those not given, which add nothing, need not be known. -#}
    (2 * cast({{ below_the_last }} as double) / {{ total }} + {{ recordings }} - 1) / {{ recordings }}
{%- endmacro %}
