"""Off-policy evaluation: what the lists of some weeks ago would have brought had arms been drawn otherwise.

Belongs here: glue between the lake and models_ml/off_policy. Does not: policies, estimators, what goes live.
"""

import datetime as dt

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project import keys
from dagster_project.assets.evaluation import HISTORY
from dagster_project.experiments_io import week_policies
from dagster_project.home import Home, parse_week
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks
from dagster_project.progress import LOG
from dagster_project.resources import Workspace
from dagster_project.shown import markdown_table
from dagster_project.table_schemas import SLOTS
from models_ml.arrays import strings
from models_ml.errors import InputError
from models_ml.off_policy.tables import (
    OFF_POLICY_SCHEMA,
    POSTERIOR_COLUMNS,
    REWARDS,
    SLOT_COLUMNS,
    LoggedWeek,
    off_policy_table,
    read_logged_week,
)

TABLE = "ml/off_policy_estimates"


@dg.asset(
    key=keys.ml("off_policy_estimates"),
    # The lists, and what was known of arms, are those of an earlier week: history, like in the features.
    deps=[keys.feature("slot_outcomes"), keys.feature("listeners"), HISTORY],
    partitions_def=keys.WEEKLY,
    group_name="evaluation",
    kinds={"python", "parquet"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def off_policy_estimates(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One row per policy, estimator and reward: what lists would have brought, or why that can't be told."""
    week, settings = parse_week(context.partition_key), workspace.configuration
    as_of = week - dt.timedelta(weeks=settings.evaluation.window_weeks)
    try:
        logged = logged_week(workspace.paths, as_of, week)
    except InputError as error:
        # The week stands without it, as without its evaluation.
        LOG.info(f"off-policy: nothing to judge for {week}: {error}")
        rows = workspace.lake.replace_week(TABLE, week, OFF_POLICY_SCHEMA.empty_table())
        return dg.MaterializeResult(metadata={"dagster/row_count": rows, "not_judged": str(error)})
    table = off_policy_table(logged, as_of, settings.off_policy)
    rows = workspace.lake.replace_week(TABLE, week, table, OFF_POLICY_SCHEMA)
    return dg.MaterializeResult(
        metadata={"dagster/row_count": rows, "lists_left_out": logged.left_out, "completed": _shown(table)}
    )


def logged_week(home: Home, as_of: dt.date, since: dt.date) -> LoggedWeek:
    """What was logged of the lists of one week, and what a later week knows of them.

    Raises InputError where they aren't there, or were made by code that kept less of the draws.
    """
    if as_of not in committed_weeks(home):
        raise InputError(f"week {as_of} was never completed, so it gave no lists")
    lake = Lake(home.lake)
    outcomes = lake.read_week("features/slot_outcomes", since, ["list_week", "user_index", "position", *REWARDS])
    listeners = _user_ids(lake, as_of)
    return read_logged_week(
        _columns(lake, SLOTS, as_of, SLOT_COLUMNS),
        listeners,
        week_policies(lake, as_of, len(listeners)),
        _columns(lake, "features/arm_posteriors", as_of, POSTERIOR_COLUMNS),
        outcomes.filter(pc.equal(outcomes["list_week"], pa.scalar(as_of))),
        _user_ids(lake, since),
    )


def _columns(lake: Lake, table: str, week: dt.date, columns: tuple[str, ...]) -> pa.Table:
    there = pq.read_schema(lake.path(table, week)).names
    missing = [name for name in columns if name not in there]
    if missing:
        raise InputError(f"lake table {table}: week {week} lacks {', '.join(missing)}: older code made it")
    return lake.read_week(table, week, list(columns))


def _user_ids(lake: Lake, week: dt.date) -> pa.Array:
    return strings(lake.read_week("features/listeners", week, ["user_id"]), "listeners", "user_id")


def _shown(table: pa.Table) -> dg.MarkdownMetadataValue:
    """What a list's completed tracks would come to, by policy and estimator."""
    rows = [
        (
            row["policy"],
            row["estimator"],
            _interval(row, "value", "ci"),
            _interval(row, "difference", "difference_ci"),
            f"{row['effective_sample_size']:.0f}",
            f"{row['support']:.3f}",
            row["reason"] or row["status"],
        )
        for row in table.filter(pc.equal(table["reward"], "completed")).to_pylist()
    ]
    head = ("policy", "estimator", "completed a list", "more than was", "effective lists", "support", "status")
    return dg.MetadataValue.md(markdown_table(head, rows))


def _interval(row: dict[str, float | None], value: str, ends: str) -> str:
    if row[value] is None:
        return ""
    return f"{row[value]:.3f} ({row[f'{ends}_low']:.3f} to {row[f'{ends}_high']:.3f})"
