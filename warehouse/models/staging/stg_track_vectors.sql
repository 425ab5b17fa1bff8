{{ config(materialized='table') }}

{% set columns = [
    'track_id', 'vector', 'kind',
] %}

with landed as (

    {{ landed('track_vectors', columns) }}

),

parsed as (

    select
        landed.*,
        {{ identifier('raw_track_id') }} as track_id,
        raw_vector as vector,
        nullif(trim(raw_kind), '') as kind
    from landed

),

typed as (

    select
        file_number,
        _row,
        track_id,
        vector,
        kind,
        case
            when _parse_error is not null then 'malformed_row'
            when track_id is null then 'no_track_id'
            when coalesce(len(vector), 0) = 0 then 'no_vector'
            -- NaN and infinity: one such row would be in everything that is learnt from vectors.
            when len(list_filter(vector, lambda number: not isfinite(number))) > 0 then 'unparsable_number'
        end as quarantine_reason,
        {{ row_key(columns) }} as dedupe_key
    from parsed

),

{{ copies('typed', stays='last') }},

final as (

    {{ with_status('typed', 'copies') }}

)

select * from final
