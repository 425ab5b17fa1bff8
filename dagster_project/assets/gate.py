"""The gate's tables: comparisons that were made, golden listeners' lists, as a week finds them.

Belongs here: glue between the record and the week's tables. Does not: holding up a week (checks_gate.py).
"""

import datetime as dt

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project import keys
from dagster_project.comparison_record import recorded_comparisons
from dagster_project.golden import GOLDEN, golden_changes
from dagster_project.home import Home, parse_week
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks
from dagster_project.resources import Workspace
from dagster_project.shown import markdown_table, picture
from dagster_project.table_schemas import COMPARISONS_SCHEMA
from models_ml.comparison.golden import GOLDEN_SCHEMA

COMPARISONS = "ml/config_comparisons"
_IDENTITY = ("compared_week", "recipe_hash", "baseline_recipe_hash", "verdict")


@dg.asset(
    key=keys.ml("config_comparisons"),
    deps=[keys.LANDING_FILES],
    partitions_def=keys.WEEKLY,
    group_name="gate",
    kinds={"python", "parquet"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def config_comparisons(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One row per comparison made on an earlier week, segment and metric; each with the first week that finds it."""
    week = parse_week(context.partition_key)
    rows = new_comparisons(workspace.paths, week)
    count = workspace.lake.replace_week(COMPARISONS, week, rows, COMPARISONS_SCHEMA)
    if not count:
        return dg.MaterializeResult(metadata={"dagster/row_count": 0})
    # Here, not above: loading matplotlib takes most of a second, and every start of anything loads this module.
    from models_ml.comparison.plots import comparison_plot

    newest = rows.filter(pc.equal(rows["recipe_hash"], rows["recipe_hash"][-1]))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": count,
            "changed": newest["changed"][-1].as_py(),
            "verdict": newest["verdict"][-1].as_py(),
            "plot": dg.MetadataValue.md(picture(comparison_plot(newest), "what a change does, and what it may")),
        }
    )


def new_comparisons(home: Home, week: dt.date) -> pa.Table:
    """Comparisons on record of weeks before this one that no earlier completed week has among its own."""
    lake = Lake(home.lake)
    earlier = [other for other in committed_weeks(home) if other < week and lake.has_week(COMPARISONS, other)]
    known = {one for other in earlier for one in _identities(lake.read_week(COMPARISONS, other))}
    found = [COMPARISONS_SCHEMA.empty_table()]
    for compared_week, rows in recorded_comparisons(home).items():
        if compared_week < week:
            is_new = [one not in known for one in _identities(rows)]
            found.append(rows.filter(pa.array(is_new, pa.bool_())))
    return pa.concat_tables(found)


def _identities(rows: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in _IDENTITY), strict=True))


@dg.asset(
    key=keys.GOLDEN_LISTENERS,
    deps=[keys.mart("weekly_playlist_tracks")],
    partitions_def=keys.WEEKLY,
    group_name="gate",
    kinds={"python", "parquet"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def golden_listeners(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One row per golden listener and track that came, went, moved or stayed since the week before."""
    week = parse_week(context.partition_key)
    rows = golden_changes(workspace.paths, week)
    count = workspace.lake.replace_week(GOLDEN, week, rows, GOLDEN_SCHEMA)
    shown = [tuple("" if value is None else value for value in row.values()) for row in rows.to_pylist()]
    return dg.MaterializeResult(
        metadata={"dagster/row_count": count, "lists": dg.MetadataValue.md(markdown_table(GOLDEN_SCHEMA.names, shown))}
    )
