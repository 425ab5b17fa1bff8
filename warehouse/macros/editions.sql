{% macro named_recordings() -%}
    {#- One row per recording, with its id and what its preferred edition is called: editions are numbered in that
        order. -#}
    select
        recordings.recording_index,
        any_value(recordings.recording_id) as recording_id,
        min_by(editions.track_id, editions.edition_index) as track_id,
        min_by(editions.title, editions.edition_index) as title,
        min_by(editions.artist_name, editions.edition_index) as artist_name
    from {{ ref('recordings') }} as recordings
    inner join {{ ref('editions') }} as editions on recordings.recording_index = editions.recording_index
    group by recordings.recording_index
{%- endmacro %}
