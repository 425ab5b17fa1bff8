-- Views of the published file, made anew at each publication.

create or replace view latest_playlists as
select *
from weekly_playlist_tracks
where week = (select max(week) from weekly_playlists);

create or replace view playlist_track_reasons as
select
    program_id,
    week,
    user_id,
    position,
    replace(component, 'contribution_', '') as component,
    contribution
from (
    unpivot (
        select
            program_id,
            week,
            user_id,
            position,
            columns('contribution_.*')
        from weekly_playlist_tracks
    )
    on columns('contribution_.*')
    into name component value contribution
) as components;

-- How good the lists were, in the newest week that scored any: over all listeners, best first.
create or replace view latest_evaluation as
select
    program_id,
    week,
    as_of_week,
    protocol_id,
    metric,
    k,
    model,
    value,
    ci_low,
    ci_high,
    ceiling,
    listeners
from evaluation_metrics
where
    week = (select max(week) from evaluation_metrics)
    and segment = 'all'
order by program_id, protocol_id, metric, k, value desc, model;

-- Who met which variant, in the columns that GrowthBook asks an assignment query for.
create or replace view growthbook_exposures as
select
    user_id,
    exposed_at as "timestamp",
    experiment_id,
    variant_id as variation_id
from experiment_exposures
where exposed_at is not null;

-- What became of each slot that was reached, for metrics of GrowthBook: a row is one moment of one listener.
create or replace view growthbook_slots as
select
    user_id,
    reached_at as "timestamp",
    cast(skipped_early as integer) as skipped,
    cast(saved as integer) as saved,
    cast(completed as integer) as completed
from playlist_slot_outcomes
where reached_at is not null;
