"""Landing: the files of the week, each read once.

Belongs here: the asset that fixes the week's list of files. Does not: how a file is read.
"""

import dagster as dg

from dagster_project import keys
from dagster_project.experiments_io import land_declarations
from dagster_project.home import parse_week
from dagster_project.inputs import fix_week_files
from dagster_project.interrupted import Retries
from dagster_project.progress import LOG, unhurried
from dagster_project.resources import Workspace
from models_ml.errors import InputError


class LandingConfig(dg.Config):
    """How the week's list of files is fixed."""

    refresh_inputs: bool = False


@dg.asset(
    key=keys.LANDING_FILES,
    partitions_def=keys.WEEKLY,
    group_name="landing",
    kinds={"python", "parquet"},
    deps=[
        dg.AssetDep(keys.LANDING_FILES, partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))
    ],
    backfill_policy=keys.ONE_WEEK_A_RUN,
    retry_policy=Retries(max_retries=2, delay=5),
)
def landing_files(
    context: dg.AssetExecutionContext, workspace: Workspace, config: LandingConfig
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One row per landing file the week reads. Builds on the week before, so that backfills run in order."""
    week = parse_week(context.partition_key)
    try:
        land_declarations(workspace.paths, week, workspace.configuration)
        files = fix_week_files(workspace.paths, week, workspace.started_at, config.refresh_inputs, unhurried())
    except InputError as error:  # what is missing stays missing: only a person can mend it
        raise dg.Failure(str(error), allow_retries=False) from error
    unreadable = [row for row in files.to_pylist() if row["error"] is not None]
    for row in unreadable:
        LOG.warning(
            f"left out: {row['error']}"
            if row["path"] in row["error"]
            else f"left out: landing/{row['path']}: {row['error']}"
        )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": files.num_rows,
            "rows_in": sum(row["row_count"] or 0 for row in files.to_pylist()),
            "unreadable_files": len(unreadable),
        }
    )
