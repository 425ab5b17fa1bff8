"""Evaluation: the lists of some weeks ago against what was heard since.

Belongs here: glue between the lake and models_ml/evaluation. Does not: metrics, baselines, what counts as truth.
"""

import datetime as dt

import dagster as dg
import pyarrow as pa

from dagster_project import keys
from dagster_project.assets.playlists import week_features
from dagster_project.external_lists import external_models
from dagster_project.home import Home, parse_week
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks
from dagster_project.progress import LOG, unhurried
from dagster_project.resources import Workspace
from dagster_project.shown import markdown_table, picture, quality_table
from models_ml.errors import InputError
from models_ml.evaluation.report import EVALUATION_SCHEMA, evaluate
from models_ml.features import WeekFeatures
from models_ml.seeds import seed_for

GIVEN = "marts/weekly_playlist_tracks"
# What would have been given without caps and rules; weeks of before this was kept lack it.
RANKED = "ml/ranked_candidates"
LIST_COLUMNS = ["user_id", "position", "recording_id"]
TRUTH_COLUMNS = ["user_id", "recording_id", "kept", "via_own_playlist"]
HISTORY = dg.AssetKey(["history", "weekly_playlist_tracks"])


@dg.asset(
    key=keys.ml("evaluation_metrics"),
    # The lists are those of an earlier week, as far back as the configuration says: history, like in the features.
    deps=[keys.feature("evaluation_truth"), keys.feature("external_lists"), HISTORY],
    partitions_def=keys.WEEKLY,
    group_name="evaluation",
    kinds={"python", "parquet"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def evaluation_metrics(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One row per protocol, model, segment, metric and cutoff: how good the lists of some weeks ago were."""
    week = parse_week(context.partition_key)
    as_of = week - dt.timedelta(weeks=workspace.configuration.evaluation.window_weeks)
    try:
        features, lists = what_was_given(workspace.paths, as_of)
    except InputError as error:
        # The week stands without it: an old week that isn't there, or was made by older code, can't be scored.
        LOG.info(f"evaluation: nothing to score for {week}: {error}")
        rows = workspace.lake.replace_week("ml/evaluation_metrics", week, EVALUATION_SCHEMA.empty_table())
        return dg.MaterializeResult(metadata={"dagster/row_count": rows, "not_scored": str(error)})
    scored = _score(workspace, week, as_of, features, lists)
    return _shown(scored, workspace.lake.replace_week("ml/evaluation_metrics", week, scored, EVALUATION_SCHEMA))


def what_was_given(home: Home, as_of: dt.date) -> tuple[WeekFeatures, dict[str, pa.Table]]:
    """Features and lists of the week that is scored. Raises InputError where they aren't there."""
    if as_of not in committed_weeks(home):
        again = f"`monday-mix run --week {as_of}` first, and this week again, scores what was given then, by whomever"
        raise InputError(f"week {as_of} was never completed, so it gave no lists; {again}")
    lake = Lake(home.lake)
    features, lists = week_features(lake, as_of), {"published": lake.read_week(GIVEN, as_of, LIST_COLUMNS)}
    if lake.has_week(RANKED, as_of):
        lists["ranked"] = _with_ids(lake.read_week(RANKED, as_of), features)
    return features, lists


def _with_ids(ranked: pa.Table, features: WeekFeatures) -> pa.Table:
    return pa.table(
        {
            "user_id": features.user_id.take(ranked["user_index"].combine_chunks()),
            "position": ranked["position"],
            "recording_id": features.recordings.recording_id.take(ranked["recording_index"].combine_chunks()),
        }
    )


def _score(
    workspace: Workspace, week: dt.date, as_of: dt.date, features: WeekFeatures, lists: dict[str, pa.Table]
) -> pa.Table:
    settings = workspace.configuration
    lists = lists | external_models(workspace.lake, week)
    truth = workspace.lake.read_week("features/evaluation_truth", week, TRUTH_COLUMNS)
    seed = seed_for("evaluation_metrics", week, settings.run.seed)
    return evaluate(features, lists, truth, as_of, settings.evaluation, seed, unhurried())


def _shown(scored: pa.Table, row_count: int) -> dg.MaterializeResult:  # type: ignore[type-arg]
    # Here, not above: loading matplotlib takes most of a second, and every start of anything loads this module.
    from models_ml.evaluation.plots import metrics_plot

    table = quality_table(scored)
    if not table:
        return dg.MaterializeResult(metadata={"dagster/row_count": row_count, "not_scored": "nothing was kept since"})
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": row_count,
            "quality": dg.MetadataValue.md(markdown_table(table[0], table[1:])),
            "plot": dg.MetadataValue.md(picture(metrics_plot(scored), "recall and ndcg by model")),
        }
    )
