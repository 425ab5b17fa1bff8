{{ config(materialized='table') }}

-- The first three genres that the catalogue names of each recording, by its preferred edition: those it counts as in
-- models_ml/genres.py too.

with editions as (

    select
        recording_index,
        edition_index,
        unavailable_rule,
        genres
    from {{ ref('editions') }}

),

recordings as (

    select
        recording_index,
        arg_min(genres, edition_index) as genres,
        bool_or(unavailable_rule is null) as is_available
    from editions
    group by recording_index

),

named as (

    select
        recording_index,
        is_available,
        lower(trim(unnest(genres))) as genre,
        generate_subscripts(genres, 1) as place
    from recordings

),

told as (

    select
        recording_index,
        genre,
        any_value(is_available) as is_available,
        min(place) as place
    from named
    where genre <> ''
    group by recording_index, genre

),

ranked as (

    select
        recording_index,
        genre,
        is_available,
        row_number() over (partition by recording_index order by place) as place
    from told

),

final as (

    select
        recording_index,
        genre,
        is_available
    from ranked
    where place <= 3

)

select * from final
