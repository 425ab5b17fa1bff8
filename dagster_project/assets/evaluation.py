"""Evaluation: the lists of some weeks ago against what was heard since.

Belongs here: glue between the lake and models_ml/evaluation. Does not: metrics, baselines, what counts as truth.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project import keys
from dagster_project.assets.playlists import given_features, week_features, week_genres
from dagster_project.external_lists import external_models
from dagster_project.home import Home, parse_week
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks
from dagster_project.progress import LOG, unhurried
from dagster_project.resources import Workspace
from dagster_project.shown import families_table, markdown_table, picture, quality_table
from dagster_project.sound_io import NEAR_DUPLICATES
from dagster_project.vectors_io import load_factors, serve
from models_ml.errors import InputError
from models_ml.evaluation.comparisons import COMPARISONS_SCHEMA
from models_ml.evaluation.report import EVALUATION_SCHEMA, Beside, EvaluationTables, evaluation_tables
from models_ml.features import WeekFeatures
from models_ml.seeds import seed_for
from models_ml.serving import ServingParams

GIVEN = "marts/weekly_playlist_tracks"
# What would have been given without caps and rules; weeks of before this was kept lack it.
RANKED = "ml/ranked_candidates"
# The same of each family of the score alone, and of all but it, of a sample of the listeners; older weeks lack it too.
ABLATED = "ml/ablated_candidates"
METRICS, COMPARISONS = "ml/evaluation_metrics", "ml/evaluation_comparisons"
LIST_COLUMNS = ["user_id", "position", "recording_id"]
TRUTH_COLUMNS = ["user_id", "recording_id", "kept", "via_own_playlist"]
HISTORY_WEEKS = 52
HISTORY = dg.AssetKey(["history", "weekly_playlist_tracks"])


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            key,
            # The lists are those of an earlier week, as far back as the configuration says: history, like in features.
            deps=[keys.feature("evaluation_truth"), keys.feature("external_lists"), HISTORY],
            partitions_def=keys.WEEKLY,
            group_name="evaluation",
            kinds={"python", "parquet"},
            description=words,
        )
        for key, words in (
            (
                keys.ml("evaluation_metrics"),
                "One row per protocol, model, segment, metric and cutoff: how good the lists of some weeks ago were.",
            ),
            (
                keys.ml("evaluation_comparisons"),
                "One row per protocol, pair of models, segment and metric: how much better the one was.",
            ),
        )
    ],
    name="evaluation",
    partitions_def=keys.WEEKLY,
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def evaluation(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Score the lists of some weeks ago, and hold every model against what was given and what ranked best."""
    week, lake = parse_week(context.partition_key), workspace.lake
    as_of = week - dt.timedelta(weeks=workspace.configuration.evaluation.window_weeks)
    try:
        features, lists = what_was_given(workspace.paths, as_of)
        beside = known_beside(workspace.lake, as_of, features, workspace.configuration.serving)
    except InputError as error:
        # The week stands without it: an old week that isn't there, or was made by older code, can't be scored.
        LOG.info(f"evaluation: nothing to score for {week}: {error}")
        scored = EvaluationTables(EVALUATION_SCHEMA.empty_table(), COMPARISONS_SCHEMA.empty_table())
        said: dict[str, Any] = {"not_scored": str(error)}
    else:
        scored = _score(workspace, week, as_of, features, lists, beside)
        said = {**_shown(scored), **_history(workspace, week, scored.metrics)}
    rows = lake.replace_week(COMPARISONS, week, scored.comparisons, COMPARISONS_SCHEMA)
    yield dg.MaterializeResult(asset_key=keys.ml("evaluation_comparisons"), metadata={"dagster/row_count": rows})
    rows = lake.replace_week(METRICS, week, scored.metrics, EVALUATION_SCHEMA)
    yield dg.MaterializeResult(asset_key=keys.ml("evaluation_metrics"), metadata={"dagster/row_count": rows, **said})


def what_was_given(home: Home, as_of: dt.date) -> tuple[WeekFeatures, dict[str, pa.Table]]:
    """Features and lists of the week that is scored. Raises InputError where they aren't there."""
    if as_of not in committed_weeks(home):
        again = f"`monday-mix run --week {as_of}` first, and this week again, scores what was given then, by whomever"
        raise InputError(f"week {as_of} was never completed, so it gave no lists; {again}")
    lake = Lake(home.lake)
    # The filters that our lists passed, for the baselines too; weeks of before sounds were compared lack these.
    features_of = given_features if lake.has_week(NEAR_DUPLICATES, as_of) else week_features
    features, lists = features_of(lake, as_of), {"published": lake.read_week(GIVEN, as_of, LIST_COLUMNS)}
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


def known_beside(lake: Lake, as_of: dt.date, features: WeekFeatures, serving: ServingParams) -> Beside:
    """What else is known of a week's lists, and the lists by families of the score where they were kept."""
    factors = serve(load_factors(lake, as_of), lake, as_of, serving)
    ablated: dict[str, pa.Table] = {}
    if lake.has_week(ABLATED, as_of):
        kept = lake.read_week(ABLATED, as_of)
        for model in sorted(pc.unique(kept["model"]).to_pylist()):
            ablated[model] = _with_ids(kept.filter(pc.equal(kept["model"], model)), features)
    return Beside(ablated, factors.served, week_genres(lake, as_of, factors), factors.rungs)


def _score(
    workspace: Workspace,
    week: dt.date,
    as_of: dt.date,
    features: WeekFeatures,
    lists: dict[str, pa.Table],
    beside: Beside,
) -> EvaluationTables:
    settings = workspace.configuration
    lists = lists | external_models(workspace.lake, week)
    truth = workspace.lake.read_week("features/evaluation_truth", week, TRUTH_COLUMNS)
    seed = seed_for("evaluation_metrics", week, settings.run.seed)
    return evaluation_tables(features, lists, truth, as_of, settings.evaluation, seed, unhurried(), beside)


def _history(workspace: Workspace, week: dt.date, newest: pa.Table) -> dict[str, Any]:
    """The values of this week after those of a year; nothing where there is one week alone."""
    # Here, not above: loading matplotlib takes most of a second, and every start of anything loads this module.
    from models_ml.evaluation.plots import history_plot

    lake = workspace.lake
    earlier = [past for past in committed_weeks(workspace.paths) if past < week and lake.has_week(METRICS, past)]
    tables = [lake.read_week(METRICS, past) for past in earlier[-HISTORY_WEEKS:]]
    if not newest.num_rows or not any(table.num_rows for table in tables):
        return {}
    drawn = history_plot(pa.concat_tables([*tables, newest], promote_options="default"))
    return {"history": dg.MetadataValue.md(picture(drawn, "ndcg by week and model"))}


def _shown(scored: EvaluationTables) -> dict[str, Any]:
    from models_ml.evaluation.plots import families_plot, metrics_plot

    table, families = quality_table(scored.metrics), families_table(scored.comparisons)
    if not table:
        return {"not_scored": "nothing was kept since"}
    shown = {
        "quality": dg.MetadataValue.md(markdown_table(table[0], table[1:])),
        "plot": dg.MetadataValue.md(picture(metrics_plot(scored.metrics), "recall and ndcg by model")),
    }
    if families:
        shown["families"] = dg.MetadataValue.md(markdown_table(families[0], families[1:]))
        drawn = picture(families_plot(scored.comparisons), "each family alone and left out, against all together")
        shown["families_plot"] = dg.MetadataValue.md(drawn)
    return shown
