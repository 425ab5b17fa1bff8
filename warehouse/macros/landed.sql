{# What every dataset's staging shares: which rows of the lake belong to this week's list of files, and
   what becomes of each of them. #}

{% macro landed(dataset, columns, files=none, key='file_number') -%}
    {#- Rows of the files on the week's list as they came, each column as raw_<name>, with the number and
        the moment their file was first seen. Content that landed twice is read once.
        files: the list, with a column more that stands for the number: `key`. -#}
    select
        landed_rows._row,
        landed_rows._parse_error,
        landed_rows._extras,
        week_files.{{ key }},
        week_files.first_seen_at{% for column in columns %},
        landed_rows.{{ column }} as raw_{{ column }}{% endfor %}
    from {{ source('intake', dataset) }} as landed_rows
    inner join {{ files or ref('stg_week_files') }} as week_files
        on
            landed_rows._file_hash = week_files.content_hash
            and week_files.dataset = '{{ dataset }}'
            and week_files.is_read
{%- endmacro %}


{% macro row_key(columns) -%}
    {#- Same in all columns: the key of the row as JSON, unknown columns included. -#}
    {%- set row_json -%}
        cast(to_json(struct_pack(
            extras := _extras{% for column in columns %},
            {{ column }}_ := raw_{{ column }}{% endfor %}
        )) as varchar)
    {%- endset -%}
    {{ narrow_key(row_json) }}
{%- endmacro %}


{% macro too_late(column) -%}
    ({{ column }} > first_seen_at + interval ({{ var('clock_tolerance_hours') }}) hour)
{%- endmacro %}


{% macro copies(typed, known_first='true', stays='first') -%}
    {#- The CTE `copies`: rows that say the same as one that stays, among the usable rows of `typed`, which has
        quarantine_reason and dedupe_key. By file and row the first stays, or the last, where the last row about
        something holds: a value that went back to an earlier one is news. Rows already known on the Monday come
        before all others, so that a copy from later can't take the place of one from before. Only keys that repeat
        are sorted. -#}
    {%- set direction = 'desc' if stays == 'last' else 'asc' %}
    repeated as (

        select dedupe_key
        from {{ typed }}
        where quarantine_reason is null
        group by dedupe_key
        having count(*) > 1

    ),

    numbered_copies as (

        select
            {{ typed }}.file_number,
            {{ typed }}._row,
            row_number() over (
                partition by {{ typed }}.dedupe_key
                order by
                    ({{ known_first }}) desc, {{ typed }}.file_number {{ direction }}, {{ typed }}._row {{ direction }}
            ) as copy_number
        from {{ typed }}
        inner join repeated on {{ typed }}.dedupe_key = repeated.dedupe_key
        where {{ typed }}.quarantine_reason is null

    ),

    copies as (

        select
            file_number,
            _row
        from numbered_copies
        where copy_number > 1

    )
{%- endmacro %}


{% macro with_status(typed, copies) -%}
    {#- Every row of `typed` with its status: usable, duplicate (it is among the `copies`), quarantined. -#}
    select
        {{ typed }}.* exclude (dedupe_key),
        case
            when {{ typed }}.quarantine_reason is not null then 'quarantined'
            when copies._row is not null then 'duplicate'
            else 'usable'
        end as status
    from {{ typed }}
    left join {{ copies }} as copies
        on {{ typed }}.file_number = copies.file_number and {{ typed }}._row = copies._row
{%- endmacro %}


{% macro landed_datasets() -%}
    {{ return([
        'events', 'play_counts', 'tracks', 'track_tags', 'users', 'playlists', 'playlist_tracks',
        'external_playlists', 'documents', 'audio', 'track_vectors', 'overrides', 'subscriptions', 'deletions',
    ]) }}
{%- endmacro %}


{% macro datasets_of_tracks() -%}
    {#- Datasets whose rows point at a track, and wait for it where it isn't known. -#}
    {{ return([
        'events', 'play_counts', 'track_tags', 'playlist_tracks', 'external_playlists', 'audio', 'track_vectors', 'overrides',
    ]) }}
{%- endmacro %}
