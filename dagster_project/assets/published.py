"""Publishing: the manifest of the week and the file that people query.

Belongs here: the last assets of the road. Does not: how a file is replaced (publishing.py).
"""

import datetime as dt

import dagster as dg

from dagster_project import keys
from dagster_project.assets.warehouse import MART_TABLES
from dagster_project.home import parse_week
from dagster_project.inputs import WEEK_FILES_TABLE, manifest_inputs
from dagster_project.interrupted import Retries
from dagster_project.manifest import write_manifest
from dagster_project.publishing import publish_week
from dagster_project.resources import Workspace

# Dagster judges the asset, not its weeks: filling in an old week makes it fresh too. Whether this Monday's lists are
# there, the check newest_week_is_published says.
THIS_MONDAY_BY_NOON = dg.FreshnessPolicy.cron(deadline_cron="0 12 * * 1", lower_bound_delta=dt.timedelta(hours=12))


@dg.asset(
    key=keys.PLAYLISTS_PUBLISHED,
    deps=[*(keys.mart(name) for name in MART_TABLES), keys.GOLDEN_LISTENERS],
    partitions_def=keys.WEEKLY,
    group_name="published",
    kinds={"duckdb"},
    freshness_policy=THIS_MONDAY_BY_NOON,
    backfill_policy=keys.ONE_WEEK_A_RUN,
    retry_policy=Retries(max_retries=2, delay=5),
)
def published(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The playlist tables of the newest weeks in one DuckDB file, replaced at once; then the manifest."""
    week = parse_week(context.partition_key)
    counts = publish_week(workspace.paths, week, workspace.configuration.run.publish_weeks)
    files = workspace.lake.read_week(WEEK_FILES_TABLE, week)
    manifest = write_manifest(workspace.paths, week, workspace.recipe, manifest_inputs(files), workspace.started_at)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": counts["weekly_playlist_tracks"],
            "playlists": counts["weekly_playlists"],
            "file": dg.MetadataValue.path(str(workspace.paths.published)),
            "manifest_hash": manifest["hash"],
        }
    )
