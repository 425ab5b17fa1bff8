{# What is watched of a week, and when it is too much. The unit tests stand beside int_landed_weeks and monitoring. #}

{% macro landed_moments() -%}
    {#- When a row of each dataset counts as new; a dataset without such a moment is counted, not watched by week. -#}
    {{ return({
        'events': 'occurred_at',
        'play_counts': 'observed_at',
        'tracks': 'cast(coalesce(available_from, cast(released_on as timestamp)) as timestamp)',
        'track_tags': 'tagged_at',
        'users': 'registered_at',
        'playlists': 'updated_at',
        'playlist_tracks': 'added_at',
        'external_playlists': 'cast(week as timestamp)',
        'documents': 'published_at',
        'overrides': 'valid_from',
        'subscriptions': 'occurred_at',
        'deletions': 'requested_at',
    }) }}
{%- endmacro %}


{% macro watched_columns() -%}
    {#- Optional columns of which somebody downstream makes something: a feed that stops filling one fails in silence. -#}
    {{ return({
        'events': ['ms_played', 'reason_end', 'context_type'],
        'tracks': ['duration_ms', 'released_on', 'genres'],
        'users': ['market', 'timezone'],
        'playlist_tracks': ['position'],
        'documents': ['title'],
    }) }}
{%- endmacro %}


{% macro has_watched_columns(dataset) -%}
    {#- Of which rows these columns are asked: a save or an impression has no length and no end. -#}
    {{ "event_type in ('play', 'skip')" if dataset == 'events' else 'true' }}
{%- endmacro %}


{% macro watched_shares() -%}
    {#- Whose distribution over the events is watched. -#}
    {{ return(['event_type', 'hour_of_day', 'market', 'context_class']) }}
{%- endmacro %}


{% macro weeks_ago(column) -%}
    {#- 0 in the seven days before the Monday, 1 in those before; what is older than the past weeks watched is one
        week more, and a row without a moment, always known, is -1. -#}
    case
        when {{ column }} is null then -1
        else least(
            (date_diff('day', cast({{ column }} as date), {{ week() }}) - 1) // 7,
            {{ var('monitoring_past_weeks') }} + 1
        )
    end
{%- endmacro %}


{% macro past_weeks() -%}
    {#- 0 to the past weeks watched: each is held against the weeks before it. -#}
    (select cast(unnest(range(0, {{ var('monitoring_past_weeks') }} + 1)) as integer) as weeks_ago)
{%- endmacro %}


{% macro divergence_term(share, other) -%}
    {#- One part's term of the Jensen-Shannon divergence of two distributions, in bits: 0 where they are alike, and over
        all parts 1 where they share none. -#}
    (
        case when {{ share }} > 0 then 0.5 * {{ share }} * log2(2 * {{ share }} / ({{ share }} + {{ other }})) else 0 end
        + case when {{ other }} > 0 then 0.5 * {{ other }} * log2(2 * {{ other }} / ({{ share }} + {{ other }})) else 0 end
    )
{%- endmacro %}


{% macro held_against(measure, value, reference) -%}
    {#- What is compared with the levels: the value itself, or how it differs from its reference. Null where there is
        nothing to hold it against. -#}
    case
        when {{ measure }} = 'value' then {{ value }}
        when {{ measure }} = 'difference' then {{ value }} - {{ reference }}
        when {{ measure }} = 'ratio' then {{ value }} / nullif({{ reference }}, 0)
    end
{%- endmacro %}


{% macro is_beyond(measured, bound, direction) -%}
    {#- At the bound is beyond it; without either, it isn't. -#}
    coalesce(
        case
            when {{ direction }} = 'below' then {{ measured }} <= {{ bound }}
            when {{ direction }} = 'above' then {{ measured }} >= {{ bound }}
        end,
        false
    )
{%- endmacro %}


{% macro alarm_level(measured, direction, warn_at, block_at, is_judged, may_block) -%}
    {#- ok, warn or block; what would block where nothing may is a warning. -#}
    case
        when not {{ is_judged }} then 'ok'
        when {{ is_beyond(measured, block_at, direction) }} then case when {{ may_block }} then 'block' else 'warn' end
        when {{ is_beyond(measured, warn_at, direction) }} then 'warn'
        else 'ok'
    end
{%- endmacro %}
