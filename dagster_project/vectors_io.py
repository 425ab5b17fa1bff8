"""Vectors in and out of the lake.

Belongs here: where a week's factors and index lie, and which week's factors a week may start from. Does not: where
they come from (models_ml).
"""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from dagster_project.catalogue_io import first_artists
from dagster_project.home import Home
from dagster_project.keys import FIRST_WEEK
from dagster_project.lake import Lake
from dagster_project.manifest import parent_week
from dagster_project.sound_io import read_audio
from dagster_project.text_io import TEXT_RECORDINGS
from models_ml.arrays import Floats, Ints, floats_with_nan, vector_column, vectors_of
from models_ml.collaborative import CollaborativeFactors, PreviousFactors
from models_ml.content_prediction import Signal
from models_ml.features import read_interactions
from models_ml.fusion import CONTENT, FusedVectors
from models_ml.playlist_tables import rung_names
from models_ml.retrieval import ExactRetriever, RetrievalParams, Retriever, UsearchRetriever, engine_of
from models_ml.retrieval_quality import taste_deciles
from models_ml.rules import COLLABORATIVE_RUNG
from models_ml.serving import ServingParams, served_factors
from models_ml.starting import Starts

LISTENER_FACTORS = "vectors/listener_factors"
RECORDING_FACTORS = "vectors/recording_factors"
TRAINING = "vectors/training"
FUSED = "vectors/fused_recordings"
STARTS = "vectors/listener_starts"
RETRIEVAL_QUALITY = "vectors/retrieval_quality"


def keep_factors(lake: Lake, week: dt.date, factors: CollaborativeFactors, tables: PreviousFactors) -> None:
    """Write a week's factors, and the facts of their fit."""
    lake.replace_week(LISTENER_FACTORS, week, tables.listeners)
    lake.replace_week(RECORDING_FACTORS, week, tables.recordings)
    facts = {
        "loss": factors.loss,
        "iterations": factors.iterations,
        "warm_started": factors.warm_started,
        "regularization": factors.regularization,
    }
    lake.replace_week(TRAINING, week, pa.Table.from_pylist([facts]))


def load_factors(lake: Lake, week: dt.date) -> CollaborativeFactors:
    """The week's factors, as the steps after training need them."""
    tables = PreviousFactors(lake.read_week(LISTENER_FACTORS, week), lake.read_week(RECORDING_FACTORS, week))
    return CollaborativeFactors.from_tables(tables, **lake.read_week(TRAINING, week).to_pylist()[0])


def keep_fused(lake: Lake, week: dt.date, fused: FusedVectors, placed: Starts) -> None:
    """Write where recordings and listeners stand, words, sound and what they named included."""
    columns = {
        "recording_index": np.arange(len(fused.liked), dtype=np.int32),
        # The next week finds a recording by its id, at whatever position it then has.
        "recording_id": lake.read_week("features/recordings", week, ["recording_id"])["recording_id"],
        "liked_by": fused.liked,
        "artist_share": fused.artist_share,
        "is_unproven": fused.is_unproven,
        "rung": rung_names(fused.rungs),
        **{name: vector_column(getattr(fused, name)) for name in ("collaborative", *CONTENT)},
    }
    lake.replace_week(FUSED, week, pa.table(columns))
    others = np.flatnonzero(placed.rung != COLLABORATIVE_RUNG)
    listeners = {
        "user_index": others.astype(np.int32),
        "rung": placed.rung[others],
        "vector": vector_column(placed.vectors[others]),
    }
    lake.replace_week(STARTS, week, pa.table(listeners))


def load_fused(lake: Lake, week: dt.date) -> FusedVectors:
    """Where the week's recordings stand."""
    table = lake.read_week(FUSED, week)
    collaborative, text, audio = (vectors_of(table, FUSED, name) for name in ("collaborative", *CONTENT))
    unproven = table["is_unproven"].to_numpy(zero_copy_only=False)
    return FusedVectors(
        collaborative, text, audio, table["artist_share"].to_numpy(), table["liked_by"].to_numpy(), unproven
    )


def serve(factors: CollaborativeFactors, lake: Lake, week: dt.date, params: ServingParams) -> CollaborativeFactors:
    """The factors with the vectors that are searched, of listeners and recordings that listening says little of too."""
    recordings = lake.read_week("features/recordings", week, ["idle_days", "listener_count"])
    starts = lake.read_week(STARTS, week)
    vectors = factors.listener_factors.copy()
    rung = np.full(len(vectors), COLLABORATIVE_RUNG, dtype=np.int8)
    others = starts["user_index"].to_numpy()
    vectors[others], rung[others] = vectors_of(starts, STARTS), starts["rung"].to_numpy()
    return served_factors(
        factors,
        load_fused(lake, week),
        Starts(vectors, rung),
        first_artists(lake, week),
        recordings["listener_count"].to_numpy(),
        floats_with_nan(recordings, "recordings", "idle_days"),
        params,
    )


def factors_before(home: Home, week: dt.date, cold_start_every: int) -> PreviousFactors | None:
    """Factors of the newest committed week before; None where this week starts cold.

    Every so many weeks everything is learnt anew, counted from the first partition, so that a backfill that begins
    anywhere starts cold in the same weeks.
    """
    parent, lake = parent_week(home, week), Lake(home.lake)
    weeks_since = (week - FIRST_WEEK).days // 7
    if parent is None or weeks_since % cold_start_every == 0 or not lake.has_week(RECORDING_FACTORS, parent):
        return None
    return PreviousFactors(lake.read_week(LISTENER_FACTORS, parent), lake.read_week(RECORDING_FACTORS, parent))


def index_path(home: Home, week: dt.date) -> Path:
    """Where a week's approximate index lies, if it has one."""
    return home.models(week) / "index.usearch"


def load_retriever(home: Home, week: dt.date, factors: CollaborativeFactors, params: RetrievalParams) -> Retriever:
    """The engine the settings ask for, over the week's recordings; the approximate one from its saved index."""
    if engine_of(int(factors.retrievable.sum()), int(factors.has_vector.sum()), params) == "exact":
        return ExactRetriever(factors.served, factors.retrievable, params.threads)
    return UsearchRetriever.load(index_path(home, week), factors.served, params)


def listener_deciles(lake: Lake, week: dt.date, factors: CollaborativeFactors) -> Ints:
    """(n,) tenth of each listener by the popularity of what they like (retrieval_quality.py)."""
    percentile = lake.read_week("features/recordings", week, ["popularity_percentile"])["popularity_percentile"]
    interactions = read_interactions(
        lake.read_week("features/interactions", week), len(factors.listener_factors), len(percentile)
    )
    return taste_deciles(interactions, percentile.to_numpy(), factors.has_vector)


def recording_vectors(lake: Lake, week: dt.date, table: str) -> Floats:
    """(m, d) float32 of a table that has a vector for every recording."""
    return vectors_of(lake.read_week(table, week), table)


def signals(lake: Lake, week: dt.date) -> list[Signal]:
    """What places recordings beside listening: words and sound, where the week has them."""
    text = recording_vectors(lake, week, TEXT_RECORDINGS)
    audio = read_audio(lake, week, len(text))
    return [Signal("text", text), *([] if audio is None else [Signal("audio", audio)])]
