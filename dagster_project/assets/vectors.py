"""Vectors: factors of listeners and recordings, and the index over the recordings.

Belongs here: glue between the lake and models_ml. Does not: training or searching.
"""

import dataclasses

import dagster as dg
import numpy as np

from dagster_project import keys
from dagster_project.home import parse_week
from dagster_project.progress import LOG, unhurried
from dagster_project.resources import Workspace
from dagster_project.shown import markdown_table
from dagster_project.sound_io import SOUNDS, analyse_sounds, keep_near_duplicates, make_audio_vectors
from dagster_project.text_io import TEXT_FEATURES, text_metadata
from dagster_project.vector_steps import FUSED_FEATURES, make_factors, make_fused, make_text
from dagster_project.vectors_io import (
    RETRIEVAL_QUALITY,
    factors_before,
    index_path,
    listener_deciles,
    load_factors,
    serve,
)
from models_ml.prior_strength import PriorStrength
from models_ml.retrieval import ExactRetriever, build_retriever
from models_ml.retrieval_quality import choose_probes, measure
from models_ml.rules import RUNGS
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
    before = factors_before(workspace.paths, week, settings.run.cold_start_every)
    factors = make_factors(lake, week, settings, before, unhurried())
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(factors.listener_factors) + len(factors.recording_factors),
            "listeners_with_a_vector": int(factors.has_vector.sum()),
            "recordings_with_a_vector": int(factors.retrievable.sum()),
            "loss": float(factors.loss),
            "iterations": factors.iterations,
            "warm_started": factors.warm_started,
            "regularization": factors.regularization,
        }
    )


@dg.asset(
    key=keys.TEXT_VECTORS,
    deps=[keys.feature(name) for name in TEXT_FEATURES],
    partitions_def=keys.WEEKLY,
    group_name="vectors",
    kinds={"python", "gensim"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def text_vectors(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Words and recordings in one space: a row per word, and one per recording, from what people wrote and grouped."""
    week, lake, settings = parse_week(context.partition_key), workspace.lake, workspace.configuration
    vectors = make_text(lake, week, settings, unhurried())
    return dg.MaterializeResult(metadata=text_metadata(vectors))


@dg.asset(
    key=keys.RECORDING_SOUNDS,
    deps=[keys.feature("recording_sounds")],
    partitions_def=keys.WEEKLY,
    group_name="vectors",
    kinds={"python"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def recording_sounds(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """What was measured of each recording's sound: a row per recording with a file. A file is analysed once, ever."""
    week, lake = parse_week(context.partition_key), workspace.lake
    table, unusable = analyse_sounds(workspace.paths, week, workspace.configuration.sound, unhurried())
    for words in unusable:
        LOG.warning("sound left out: %s", words)
    lake.replace_week(SOUNDS, week, table)
    return dg.MaterializeResult(metadata={"dagster/row_count": table.num_rows, "left_out": unusable[:100]})


@dg.asset(
    key=keys.AUDIO_VECTORS,
    deps=[
        keys.COLLABORATIVE_FACTORS,
        keys.RECORDING_SOUNDS,
        *(keys.feature(name) for name in ("recording_given_vectors", "interactions", "editions")),
    ],
    partitions_def=keys.WEEKLY,
    group_name="vectors",
    kinds={"python", "torch"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def audio_vectors(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Vectors of sound: a row per recording, by the network that learns what listening would say, or as they landed.

    And which recordings are the same one in sound.
    """
    week, settings = parse_week(context.partition_key), workspace.configuration
    seed = seed_for("audio_vectors", week, settings.run.seed)
    told = make_audio_vectors(workspace.paths, week, settings, seed, unhurried())
    alike = keep_near_duplicates(workspace.lake, week, settings.near_duplicates)
    return dg.MaterializeResult(metadata={**told, "near_duplicates": alike})


@dg.asset(
    key=keys.FUSED_VECTORS,
    deps=[
        keys.COLLABORATIVE_FACTORS,
        keys.TEXT_VECTORS,
        keys.AUDIO_VECTORS,
        *(keys.feature(name) for name in FUSED_FEATURES),
    ],
    partitions_def=keys.WEEKLY,
    group_name="vectors",
    kinds={"python", "numpy"},
    backfill_policy=keys.ONE_WEEK_A_RUN,
)
def fused_vectors(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """One space: a row per recording, placed by listening, words, sound and artist; a row per listener who starts."""
    week, lake, settings = parse_week(context.partition_key), workspace.lake, workspace.configuration
    fused, placed = make_fused(lake, week, settings, unhurried())
    strengths = [dataclasses.astuple(strength) for strength in fused.strengths]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(fused.liked),
            "recordings_placed": int(fused.vectors.any(axis=1).sum()),
            "recordings_on_content": int(fused.is_unproven.sum()),
            "listeners_by_rung": dict(zip(RUNGS, np.bincount(placed.rung, minlength=len(RUNGS)).tolist(), strict=True)),
            "trust_in_predictions": dg.MetadataValue.md(
                markdown_table([field.name for field in dataclasses.fields(PriorStrength)], strengths)
            ),
        }
    )


@dg.asset(
    key=keys.CANDIDATE_INDEX,
    deps=[keys.FUSED_VECTORS, *(keys.feature(name) for name in ("interactions", "recordings", "editions"))],
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
