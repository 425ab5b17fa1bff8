"""Vectors: factors of listeners and recordings, and the index over the recordings.

Belongs here: glue between the lake and models_ml. Does not: training or searching.
"""

import dagster as dg

from dagster_project import keys
from dagster_project.home import parse_week
from dagster_project.progress import unhurried
from dagster_project.resources import Workspace
from dagster_project.shown import markdown_table
from dagster_project.vectors_io import (
    RETRIEVAL_QUALITY,
    factors_before,
    index_path,
    keep_factors,
    listener_deciles,
    load_factors,
    serve,
)
from models_ml.collaborative import fit_collaborative
from models_ml.retrieval import ExactRetriever, build_retriever
from models_ml.retrieval_quality import choose_probes, measure
from models_ml.seeds import seed_for

PROBES = 500


@dg.asset(
    key=keys.COLLABORATIVE_FACTORS,
    deps=[keys.feature(name) for name in ("interactions", "listeners", "recordings")],
    partitions_def=keys.WEEKLY,
    group_name="vectors",
    kinds={"python", "implicit"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def collaborative_factors(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Latent factors: one row per listener, and one per recording."""
    week, lake, settings = parse_week(context.partition_key), workspace.lake, workspace.configuration
    listeners = lake.read_week("features/listeners", week, ["user_id"])["user_id"].combine_chunks()
    recordings = lake.read_week("features/recordings", week, ["recording_id"])["recording_id"].combine_chunks()
    factors = fit_collaborative(
        lake.read_week("features/interactions", week),
        listeners,
        recordings,
        settings.collaborative,
        seed_for("collaborative_factors", week, settings.run.seed),
        factors_before(workspace.paths, week, settings.run.cold_start_every),
        unhurried(),
    )
    keep_factors(lake, week, factors, factors.to_tables(listeners, recordings))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(listeners) + len(recordings),
            "listeners_with_a_vector": int(factors.has_vector.sum()),
            "recordings_with_a_vector": int(factors.retrievable.sum()),
            "loss": float(factors.loss),
            "iterations": factors.iterations,
            "warm_started": factors.warm_started,
            "regularization": factors.regularization,
        }
    )


@dg.asset(
    key=keys.CANDIDATE_INDEX,
    deps=[keys.COLLABORATIVE_FACTORS, *(keys.feature(name) for name in ("interactions", "recordings", "editions"))],
    partitions_def=keys.WEEKLY,
    group_name="vectors",
    kinds={"python", "usearch"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def candidate_index(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The search index over recordings, and its recall against exact search for each tenth of the listeners."""
    week, lake, settings = parse_week(context.partition_key), workspace.lake, workspace.configuration
    factors = serve(load_factors(lake, week), lake, week, settings.serving)
    retriever = build_retriever(factors.served, factors.retrievable, settings.retrieval, int(factors.has_vector.sum()))
    if not isinstance(retriever, ExactRetriever):
        workspace.paths.models(week).mkdir(parents=True, exist_ok=True)
        retriever.save(index_path(workspace.paths, week))
    probes = choose_probes(
        listener_deciles(lake, week, factors), PROBES, seed_for("retrieval_probes", week, settings.run.seed)
    )
    exact = ExactRetriever(factors.served, factors.retrievable)
    quality = measure(retriever, exact, factors.listener_factors, probes, settings.retrieval)
    lake.replace_week(RETRIEVAL_QUALITY, week, quality)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": int(factors.retrievable.sum()),
            "engine": "exact" if isinstance(retriever, ExactRetriever) else "usearch",
            "recall_by_popularity_of_taste": dg.MetadataValue.md(
                markdown_table(quality.column_names, [tuple(row.values()) for row in quality.to_pylist()])
            ),
        }
    )
