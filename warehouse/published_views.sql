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
