{{ config(materialized='table') }}

-- Which tracks are editions of one recording: by recording_id, else isrc, else bare title, artist and
-- length within three seconds of the next. A track with neither id joins the cluster's ids where it can.

with tracks as (

    select
        track_id,
        bare_title,
        artist_id,
        duration_ms,
        isrc,
        recording_id
    from {{ ref('int_known_tracks') }}

),

gaps as (

    select
        *,
        case
            when
                duration_ms - lag(duration_ms) over (
                    partition by bare_title, artist_id order by duration_ms asc nulls last, track_id asc
                ) <= 3000
                then 0
            when
                duration_ms is null
                and lag(track_id) over (
                    partition by bare_title, artist_id order by duration_ms asc nulls last, track_id asc
                ) is not null
                and lag(duration_ms) over (
                    partition by bare_title, artist_id order by duration_ms asc nulls last, track_id asc
                ) is null
                then 0
            else 1
        end as starts_cluster
    from tracks

),

clustered as (

    select
        *,
        sum(starts_cluster) over (
            partition by bare_title, artist_id
            order by duration_ms asc nulls last, track_id asc
            rows between unbounded preceding and current row
        ) as cluster_number,
        coalesce(
            recording_id,
            case when isrc is not null then min(recording_id) over (partition by isrc) end,
            'isrc:' || isrc
        ) as stated_id
    from gaps

),

final as (

    select
        track_id,
        coalesce(
            stated_id,
            min(stated_id) over (partition by bare_title, artist_id, cluster_number),
            'track:' || min(track_id) over (partition by bare_title, artist_id, cluster_number)
        ) as recording_id
    from clustered

)

select * from final
