{% macro preferred_editions() -%}
    {#- One row per recording, with what its preferred edition is called: editions are numbered in that order. -#}
    select
        recording_index,
        min_by(track_id, edition_index) as track_id,
        min_by(title, edition_index) as title,
        min_by(artist_name, edition_index) as artist_name
    from {{ ref('editions') }}
    group by recording_index
{%- endmacro %}
