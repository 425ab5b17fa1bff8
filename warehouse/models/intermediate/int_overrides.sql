-- Editorial decisions in force on the Monday, one row a track: a takedown, an embargo or a boost of the track, or
-- of any artist credited on it. A takedown outranks an embargo.

with overrides as (

    select
        track_id,
        artist_id,
        action
    from {{ ref('stg_overrides') }}
    where
        status = 'usable'
        and coalesce(valid_from <= {{ week() }}, true)
        and coalesce(valid_to > {{ week() }}, true)

),

credits as (

    select
        track_id,
        unnest(artist_ids) as artist_id
    from {{ ref('int_known_tracks') }}

),

touched as (

    select
        credits.track_id,
        overrides.action
    from overrides
    inner join credits on overrides.artist_id = credits.artist_id
    where overrides.track_id is null

    union all

    select
        track_id,
        action
    from overrides
    where track_id is not null

),

final as (

    select
        track_id,
        case
            when bool_or(action = 'takedown') then 'taken_down'
            when bool_or(action = 'embargo') then 'embargoed'
        end as unavailable_rule,
        bool_or(action = 'boost') as is_boosted
    from touched
    group by track_id

)

select * from final
