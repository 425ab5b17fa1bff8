"""Vectors in and out of the lake: ids beside fixed-size lists.

Belongs here: the form in which vectors lie in tables. Does not: where they come from.
"""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa

from dagster_project.home import Home
from dagster_project.keys import FIRST_WEEK
from dagster_project.lake import Lake
from dagster_project.manifest import parent_week
from models_ml.arrays import Floats
from models_ml.collaborative import CollaborativeFactors, PreviousFactors
from models_ml.retrieval import ExactRetriever, RetrievalParams, Retriever, UsearchRetriever, engine_of

LISTENER_FACTORS = "vectors/listener_factors"
RECORDING_FACTORS = "vectors/recording_factors"


def vector_table(id_name: str, ids: pa.ChunkedArray, vectors: Floats) -> pa.Table:
    """One row per id: the id and its vector, FLOAT[f]."""
    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    return pa.table({id_name: ids, "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])})


def vectors_of(table: pa.Table) -> Floats:
    """(rows, f) float32 of a table's `vector` column."""
    column = table["vector"]
    vectors: Floats = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return vectors.reshape(-1, column.type.list_size)


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


def load_factors(lake: Lake, week: dt.date, regularization: float) -> CollaborativeFactors:
    """The week's factors, as the steps after training need them."""
    return CollaborativeFactors(
        listener_factors=vectors_of(lake.read_week(LISTENER_FACTORS, week)),
        recording_factors=vectors_of(lake.read_week(RECORDING_FACTORS, week)),
        loss=float("nan"), iterations=0, warm_started=False, regularization=regularization)


def index_path(home: Home, week: dt.date) -> Path:
    """Where a week's approximate index lies, if it has one."""
    return home.models(week) / "index.usearch"


def load_retriever(home: Home, week: dt.date, factors: CollaborativeFactors, params: RetrievalParams) -> Retriever:
    """The engine the settings ask for, over the week's recordings; the approximate one from its saved index."""
    if engine_of(int(factors.retrievable.sum()), params) == "exact":
        return ExactRetriever(factors.recording_factors, factors.retrievable, params.threads)
    return UsearchRetriever.load(index_path(home, week), factors.recording_factors, params)
