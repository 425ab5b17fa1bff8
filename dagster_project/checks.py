"""Asset checks: what has to be true before a week is published, and what a person should be told.

Belongs here: checks that compare what was made with what should have been. Does not: tests of rows, which
are dbt's and run inside its build.
"""

import datetime as dt

import dagster as dg
import pyarrow.parquet as pq

from dagster_project import keys
from dagster_project.home import parse_week
from dagster_project.manifest import committed_weeks
from dagster_project.progress import LOG
from dagster_project.resources import Workspace
from dagster_project.shown import alarm_lines


@dg.asset_check(asset=keys.mart("weekly_playlist_tracks"), blocking=True)
def no_slot_is_lost_on_the_way(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> dg.AssetCheckResult:
    """Every slot that Python filled is a row of the playlist table: joins lose nothing."""
    week = parse_week(context.partition_key)
    filled = pq.read_metadata(workspace.lake.path("ml/playlist_slots", week)).num_rows
    rows = pq.read_metadata(workspace.lake.path("marts/weekly_playlist_tracks", week)).num_rows
    return dg.AssetCheckResult(
        passed=filled == rows,
        metadata={"slots_filled": filled, "rows": rows},
        description=f"{rows} rows of the {filled} that were filled",
    )


@dg.asset_check(asset=keys.mart("monitoring"), blocking=True)
def nothing_watched_blocks(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> dg.AssetCheckResult:
    """No number is beyond the level from which last week's publication is better than this one."""
    return _alarms(context, workspace, "block", dg.AssetCheckSeverity.ERROR)


@dg.asset_check(asset=keys.mart("monitoring"))
def nothing_watched_warns(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> dg.AssetCheckResult:
    """No number is beyond the level from which a person should look."""
    return _alarms(context, workspace, "warn", dg.AssetCheckSeverity.WARN)


def _alarms(
    context: dg.AssetCheckExecutionContext, workspace: Workspace, level: str, severity: dg.AssetCheckSeverity
) -> dg.AssetCheckResult:
    week = parse_week(context.partition_key)
    lines = alarm_lines(workspace.lake.read_week("marts/monitoring", week), level)
    for line in lines:
        LOG.warning(f"monitoring, {level}: {line}")
    return dg.AssetCheckResult(
        passed=not lines,
        severity=severity,
        metadata={"alarms": len(lines)},
        description="\n".join(lines) or f"nothing is at the level {level}",
    )


@dg.asset_check(asset=keys.PLAYLISTS_PUBLISHED)
def newest_week_is_published(workspace: Workspace) -> dg.AssetCheckResult:
    """The Monday that this moment belongs to has its lists."""
    today = workspace.started_at.date()
    expected = today - dt.timedelta(days=today.weekday())
    newest = max(committed_weeks(workspace.paths), default=None)
    return dg.AssetCheckResult(
        passed=newest is not None and newest >= expected,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"newest": str(newest), "expected": str(expected)},
        description=f"newest committed week is {newest}, this Monday is {expected}",
    )
