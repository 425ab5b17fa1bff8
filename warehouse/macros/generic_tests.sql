{% test primary_key(model, columns, never_null=[]) %}
    {#- Fails with every key that occurs more than once, and every row that lacks a part of it or another of these columns.
        In one test, as nearly every table has both: a test costs a small home as much as a view. Nulls are looked for by
        themselves, so that what the table knows of its columns answers. -#}
    select
        {{ columns | join(', ') }},
        'more than once' as fault
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1

    union all

    select
        {{ columns | join(', ') }},
        'incomplete' as fault
    from {{ model }}
    where {% for column in columns + never_null %}{{ column }} is null{% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}


{% test unique_combination(model, columns) %}
    {#- Fails with every key that occurs more than once. -#}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
