{{ config(materialized='table') }}

-- The genres that our lists gave least of what there is. Before there were lists, none.

with genres as (

    select * from {{ ref('int_recording_genres') }}

),

exposure as (

    select * from {{ ref('recording_exposure') }}

),

supply as (

    select
        genre,
        count(*) as recordings
    from genres
    where is_available
    group by genre

),

available as (

    select count(distinct recording_index) as recordings
    from {{ ref('editions') }}
    where unavailable_rule is null

),

exposed as (

    select
        genres.genre,
        sum(exposure.slots) as slots
    from exposure
    inner join genres on exposure.recording_index = genres.recording_index
    group by genres.genre

),

given_at_all as (

    select sum(slots) as slots
    from exposure

),

shares as (

    select
        supply.genre,
        supply.recordings,
        coalesce(exposed.slots, 0) / given_at_all.slots as exposure_share,
        supply.recordings / available.recordings as supply_share
    from supply
    cross join available
    cross join given_at_all
    left join exposed on supply.genre = exposed.genre
    where given_at_all.slots > 0

),

ranked as (

    select
        genre,
        row_number() over (order by exposure_share / supply_share, genre) as place
    from shares
    where
        recordings >= {{ var('exploration_genre_fewest_recordings') }}
        and exposure_share < {{ var('exploration_genre_exposure_ratio') }} * supply_share

),

final as (

    select genre
    from ranked
    where place <= {{ var('exploration_genre_arms') }}

)

select * from final
