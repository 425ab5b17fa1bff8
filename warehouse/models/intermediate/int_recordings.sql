{{ config(materialized='table') }}

-- Which tracks are editions of one recording. A track's own word goes first: recording_id, else isrc. One without joins,
-- by bare title and artist, the first of these that there is:
--   1. its length known: the smallest stated recording with a length within three seconds of its own,
--   2. its length known: what lies within three seconds of each other, and with it the smallest stated recording whose
--      length isn't known, which only the first of several such groups gets,
--   3. its length unknown: the smallest stated recording of any length, else the first such group, else its like.
-- Lengths more than three seconds apart don't meet through one between them, unless that one states its recording.

with tracks as (

    select
        track_index,
        track_id,
        bare_title,
        artist_id,
        duration_ms,
        coalesce(
            recording_id,
            case when isrc is not null then min(recording_id) over (partition by isrc) end,
            'isrc:' || isrc
        ) as stated_id
    from {{ ref('int_known_tracks') }}

),

-- Only names that more than one track has can join anything: of a catalogue that is the smaller part.
shared_names as (

    select
        bare_title,
        artist_id
    from tracks
    group by bare_title, artist_id
    having count(*) > 1

),

named as (

    select
        tracks.*,
        min(stated_id) over (partition by tracks.bare_title, tracks.artist_id) as any_stated_id,
        min(case when duration_ms is null then stated_id end) over (
            partition by tracks.bare_title, tracks.artist_id
        ) as untimed_stated_id,
        -- Tracks without a length are peers of each other here, and of no other.
        case
            when duration_ms is not null
                then min(stated_id) over (
                    partition by tracks.bare_title, tracks.artist_id
                    order by duration_ms asc nulls last
                    range between 3000 preceding and 3000 following
                )
        end as near_stated_id
    from tracks
    inner join shared_names
        on tracks.bare_title = shared_names.bare_title and tracks.artist_id = shared_names.artist_id

),

-- Timed, and nothing stated near them: they form groups among themselves.
ungrouped as (

    select
        track_id,
        bare_title,
        artist_id,
        duration_ms,
        case
            when duration_ms - lag(duration_ms) over (
                partition by bare_title, artist_id order by duration_ms asc, track_id asc
            ) <= 3000
                then 0
            else 1
        end as starts_chain
    from named
    where stated_id is null and near_stated_id is null and duration_ms is not null

),

chains as (

    select
        *,
        sum(starts_chain) over (
            partition by bare_title, artist_id
            order by duration_ms asc, track_id asc
            rows between unbounded preceding and current row
        ) as chain_number
    from ungrouped

),

-- A chain of lengths three seconds apart each is cut, so that no two in a group are further apart than that.
cut_chains as (

    select
        *,
        floor((
            duration_ms - min(duration_ms) over (partition by bare_title, artist_id, chain_number)
        ) / 3001.0) as cut_number
    from chains

),

groups as (

    select
        *,
        'track:' || min(track_id) over (partition by bare_title, artist_id, chain_number, cut_number) as group_id,
        'track:' || min(track_id) over (partition by bare_title, artist_id) as first_group_id
    from cut_chains

),

first_groups as (

    select
        bare_title,
        artist_id,
        min(group_id) as group_id
    from groups
    group by bare_title, artist_id

),

joined as (

    select
        named.track_id,
        coalesce(
            named.stated_id,
            named.near_stated_id,
            case
                when groups.group_id = groups.first_group_id
                    then coalesce(named.untimed_stated_id, groups.group_id)
            end,
            groups.group_id,
            named.any_stated_id,
            first_groups.group_id,
            'track:' || min(named.track_id) over (partition by named.bare_title, named.artist_id)
        ) as recording_id
    from named
    left join groups on named.track_id = groups.track_id
    left join first_groups
        on named.bare_title = first_groups.bare_title and named.artist_id = first_groups.artist_id

),

named_recordings as (

    select
        tracks.track_id,
        tracks.track_index,
        coalesce(joined.recording_id, tracks.stated_id, 'track:' || tracks.track_id) as recording_id
    from tracks
    left join joined on tracks.track_id = joined.track_id

),

final as (

    select
        track_id,
        track_index,
        recording_id,
        cast(dense_rank() over (order by recording_id) - 1 as integer) as recording_index
    from named_recordings

)

select * from final
