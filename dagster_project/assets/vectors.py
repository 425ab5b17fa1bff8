"""Vectors: factors of listeners and recordings, and the index over the recordings.

Belongs here: glue between the lake and models_ml. Does not: training or searching.
"""

import dagster as dg
import pyarrow as pa

from dagster_project import keys
from dagster_project.home import parse_week
from dagster_project.progress import unhurried
from dagster_project.resources import Workspace
from dagster_project.vectors_io import factors_before, index_path, keep_factors, load_factors
from models_ml.collaborative import fit_collaborative
from models_ml.retrieval import ExactRetriever, build_retriever, choose_probes, recall_at_k
from models_ml.seeds import seed_for

PROBES = 256


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
    deps=[keys.COLLABORATIVE_FACTORS],
    partitions_def=keys.WEEKLY,
    group_name="vectors",
    kinds={"python", "usearch"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def candidate_index(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The search index over recordings, and its recall against exact search on a fixed set of listeners."""
    week, lake, settings = parse_week(context.partition_key), workspace.lake, workspace.configuration
    factors = load_factors(lake, week)
    vectors, retrievable = factors.recording_factors, factors.retrievable
    retriever = build_retriever(vectors, retrievable, settings.retrieval, len(factors.listener_factors))
    engine = "exact" if isinstance(retriever, ExactRetriever) else "usearch"
    if not isinstance(retriever, ExactRetriever):
        workspace.paths.models(week).mkdir(parents=True, exist_ok=True)
        retriever.save(index_path(workspace.paths, week))
    probes = choose_probes(factors.listener_factors, PROBES, seed_for("retrieval_probes", week, settings.run.seed))
    k = settings.candidates.candidate_count
    recall = recall_at_k(retriever, ExactRetriever(vectors, retrievable), probes, k)
    lake.replace_week(
        "vectors/retrieval_quality",
        week,
        pa.table(
            {
                "engine": [engine],
                "k": [k],
                "probes": [len(probes)],
                "recall": [recall],
                "recordings": [int(retrievable.sum())],
            }
        ),
    )
    return dg.MaterializeResult(
        metadata={
            "engine": engine,
            "recall": recall,
            "probes": len(probes),
            "k": k,
            "dagster/row_count": int(retrievable.sum()),
        }
    )
