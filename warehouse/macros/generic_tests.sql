{% test unique_combination(model, columns) %}
    {#- Fails with every key that occurs more than once. -#}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}


{% test never_null(model, columns) %}
    {#- Fails with every row that lacks one of the columns; one scan for all of them. -#}
    select *
    from {{ model }}
    where {% for column in columns %}{{ column }} is null{% if not loop.last %} or {% endif %}{% endfor %}
{% endtest %}
