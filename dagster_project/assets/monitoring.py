"""Monitoring: what is watched of a week's models.

Belongs here: glue between the lake and models_ml/monitoring.py. Does not: levels (the seed monitoring_levels) or what
happens beyond them (checks.py).
"""

import dagster as dg

from dagster_project import keys
from dagster_project.home import parse_week
from dagster_project.manifest import parent_week
from dagster_project.resources import Workspace
from dagster_project.vectors_io import RECORDING_FACTORS, RETRIEVAL_QUALITY
from models_ml.embedding_drift import embedding_drift
from models_ml.monitoring import MODEL_METRICS_SCHEMA
from models_ml.monitoring import model_metrics as metrics_of


@dg.asset(
    key=keys.ml("model_metrics"),
    deps=[keys.COLLABORATIVE_FACTORS, keys.CANDIDATE_INDEX],
    partitions_def=keys.WEEKLY,
    group_name="monitoring",
    kinds={"python", "parquet"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def model_metrics(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One row per model and metric: recall of the index, and how far the factors moved since the week before."""
    week, lake = parse_week(context.partition_key), workspace.lake
    parent, drift = parent_week(workspace.paths, week), None
    if parent is not None and lake.has_week(RECORDING_FACTORS, parent):
        drift = embedding_drift(lake.read_week(RECORDING_FACTORS, week), lake.read_week(RECORDING_FACTORS, parent))
    measured = metrics_of(lake.read_week(RETRIEVAL_QUALITY, week), drift)
    rows = lake.replace_week("ml/model_metrics", week, measured, MODEL_METRICS_SCHEMA)
    found = {row["metric"]: row["value"] for row in measured.to_pylist()}
    return dg.MaterializeResult(metadata={"dagster/row_count": rows, **found})
