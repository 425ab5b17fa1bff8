{# Text from intake to types. Each macro gives null where the text can't be read; `unreadable` tells that
   apart from a value that was never there. #}

{% macro moment(column) -%}
    {#- UTC timestamp; an offset is honoured, a naive time is UTC. 'infinity' and years outside a
        human scale are no moments. The plain form, which intake gives everything that came typed, needs no
        calendar: that is three times as fast. -#}
    case
        when regexp_full_match({{ column }}, '(19|20|21)\d\d-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?')
            then try_cast({{ column }} as timestamp)
        when
            try_cast({{ column }} as timestamptz) >= timestamptz '1900-01-01 00:00:00+00'
            and try_cast({{ column }} as timestamptz) < timestamptz '2200-01-01 00:00:00+00'
            then cast(try_cast({{ column }} as timestamptz) as timestamp)
    end
{%- endmacro %}


{% macro day(column) -%}
    {#- DATE, from a date or the day of a moment; a bare year or year-month is its first day. -#}
    coalesce(
        try_cast({{ column }} as date),
        cast({{ moment(column) }} as date),
        try_cast({{ column }} || '-01' as date),
        try_cast({{ column }} || '-01-01' as date)
    )
{%- endmacro %}


{% macro whole_number(column) -%}
    try_cast({{ column }} as bigint)
{%- endmacro %}


{% macro truth(column) -%}
    {#- As CSV has it where a column held blanks too, 1.0 and 0.0, and as people write it. -#}
    case lower(trim({{ column }}))
        when '1.0' then true
        when 'on' then true
        when '0.0' then false
        when 'off' then false
        else try_cast(lower(trim({{ column }})) as boolean)
    end
{%- endmacro %}


{% macro identifier(column) -%}
    {#- Ids are strings; blanks around them are no part of them and an empty one is none. -#}
    nullif(trim({{ column }}), '')
{%- endmacro %}


{% macro unreadable(column) -%}
    {#- There was text and it could not be read; null alone is only absence. -#}
    ({{ column }} is null and nullif(trim(raw_{{ column }}), '') is not null)
{%- endmacro %}


{% macro too_large(column) -%}
    {#- Milliseconds of 24 days, plays of a lifetime: no such thing, and sums of it would not fit. -#}
    ({{ column }} > 2147483647)
{%- endmacro %}


{% macro is_known(column) -%}
    {#- The as-of rule: on or after the Monday is not known yet, null is always known. -#}
    coalesce({{ column }} < {{ week() }}, true)
{%- endmacro %}


{% macro event_types() -%}
    'play', 'skip', 'save', 'unsave', 'playlist_add', 'playlist_remove', 'like', 'dislike', 'block_track',
    'block_artist', 'impression'
{%- endmacro %}
