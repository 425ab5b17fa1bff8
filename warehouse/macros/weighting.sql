{# The formulas of listening, each in one place. Unit tests stand beside the models that use them. #}

{% macro is_skip(event_type, end_class, ms_played, duration_ms) -%}
    {#- An early end by the listener's act: what the source says of the end, else few milliseconds
        against the length. A closed app is no skip, and a source without milliseconds yields none. -#}
    case
        when {{ event_type }} = 'skip' then true
        when {{ event_type }} <> 'play' then false
        when {{ end_class }} = 'listener'
            then coalesce({{ ms_played }} < coalesce({{ duration_ms }} / 2.0, {{ var('skip_ms') }}), false)
        when {{ end_class }} in ('finished', 'interrupted') then false
        else coalesce(
            {{ ms_played }} < least({{ var('skip_ms') }}, coalesce({{ duration_ms }} / 2.0, {{ var('skip_ms') }})),
            false
        )
    end
{%- endmacro %}


{% macro is_hearing(event_type, ms_played, duration_ms) -%}
    {#- Heard: thirty seconds or half the track, or an act that nobody does unheard. A play without a
        duration is a scrobble, which stands for half the track by its own rule. -#}
    case
        when {{ event_type }} in ('save', 'like', 'dislike', 'playlist_add') then true
        when {{ event_type }} not in ('play', 'skip') then false
        when {{ ms_played }} is null then {{ event_type }} = 'play'
        else
            {{ ms_played }} >= {{ var('heard_ms') }}
            or coalesce({{ ms_played }} >= {{ duration_ms }} / 2.0 and {{ ms_played }} > 0, false)
    end
{%- endmacro %}


{% macro completion_thousandths(ms_played, duration_ms) -%}
    {#- Share of the track that was played, in whole thousandths, so that sums don't depend on order. -#}
    cast(case
        when {{ ms_played }} is null then 1000
        when coalesce({{ duration_ms }}, 0) <= 0
            then least(1000, floor(1000.0 * {{ ms_played }} / {{ var('heard_ms') }}))
        else least(1000, floor(1000.0 * {{ ms_played }} / {{ duration_ms }}))
    end as integer)
{%- endmacro %}


{% macro decayed(amount, age_days, half_life_days) -%}
    {#- amount * 0.5 ^ (age / half-life); no half-life, no decay. DECIMAL, so that sums don't depend on
        order. -#}
    cast(
        ({{ amount }})
        * case
            when {{ half_life_days }} is null then 1.0
            else pow(0.5, greatest({{ age_days }}, 0) / cast({{ half_life_days }} as double))
        end
        as decimal(18, 6)
    )
{%- endmacro %}


{% macro half_life(half_life_days) -%}
    {#- Days after which an act counts half: the seed's, stretched or shrunk for all by one setting. What the seed lets
        stand for ever (saves, likes, playlist adds) fades only where a setting says so. -#}
    coalesce(
        {{ half_life_days }} * {{ var('half_life_scale') }},
        nullif(cast({{ var('statement_half_life_days') }} as double), 0)
    )
{%- endmacro %}


{% macro confidence(engagement) -%}
    {#- Hu, Koren and Volinsky (2008), saturating: c = 1 + alpha * ln(1 + |engagement|). -#}
    cast(1.0 + {{ var('confidence_alpha') }} * ln(1.0 + abs(cast({{ engagement }} as double))) as float)
{%- endmacro %}


{% macro preference(engagement) -%}
    {#- 1 liked, -1 clearly not, null where the evidence says neither. -#}
    cast(case
        when {{ engagement }} > 0 then 1
        when {{ engagement }} <= -{{ var('negative_threshold') }} then -1
    end as tinyint)
{%- endmacro %}


{% macro event_weights() -%}
    {#- The seed, or the table of the same columns that a home has in its place; types are the seed's own, but for a
        half-life, which need not be whole days. -#}
    {%- set seed = ref('event_weights') -%}
    {%- set own = env_var('MONDAY_MIX_EVENT_WEIGHTS', '') -%}
    {%- if own -%}
        {{ own_event_weights(own) }}
    {%- else -%}
        {{ seed }}
    {%- endif -%}
{%- endmacro %}
