"""Comparisons: every model against the references, metric by metric, on the listeners that both were scored on.

Belongs here: which pairs of models and which metrics, the rows.
Does not: the intervals (paired.py), each listener's values (panels.py).
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from models_ml.arrays import Ints
from models_ml.evaluation.beyond_accuracy import GENRE_KL, INTRA_LIST_DIVERSITY, LONG_TAIL_SHARE, NEW_ARTIST_SHARE
from models_ml.evaluation.metrics import AVERAGE_PRECISION, HIT_RATE, NDCG, NOVELTY, RECALL, SERENDIPITY
from models_ml.evaluation.paired import PairedIntervals, paired_intervals
from models_ml.evaluation.panels import Column, Panel
from models_ml.evaluation.segments import ALL

PUBLISHED: Final = "published"
RANKED: Final = "ranked"
# What every other model is held against, where the week has it: what was given, and all signals before any rule.
REFERENCES: Final = (RANKED, PUBLISHED)
COMPARED: Final = (
    RECALL,
    NDCG,
    HIT_RATE,
    AVERAGE_PRECISION,
    SERENDIPITY,
    NOVELTY,
    INTRA_LIST_DIVERSITY,
    GENRE_KL,
    LONG_TAIL_SHARE,
    NEW_ARTIST_SHARE,
)
COMPARISONS_SCHEMA = pa.schema(
    [
        ("as_of_week", pa.date32()),
        ("protocol_id", pa.string()),
        ("model", pa.string()),
        ("other_model", pa.string()),
        ("segment", pa.string()),
        ("metric", pa.string()),
        ("k", pa.int32()),
        ("difference", pa.float64()),
        ("ratio", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("listeners", pa.int64()),
    ]
)


def comparison_rows(
    reference: Panel, panels: Sequence[Panel], k: int, resamples: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Rows of COMPARISONS_SCHEMA but for the week: each model of the panels against each reference.

    reference: the panel that holds the references, over all listeners of the others.
    """
    wanted = [Column(ALL, metric, k) for metric in COMPARED]
    for panel in panels:
        if not len(panel.rows):
            continue
        places = [panel.columns.index(column) for column in wanted]
        rows = np.searchsorted(reference.listeners, panel.listeners)
        for other in (name for name in REFERENCES if name in reference.values):
            models = [model for model in panel.values if model != other]
            if models:
                found = _against(panel, models, reference, other, rows, places, resamples, seed)
                yield from _rows(panel, models, other, wanted, found)


def _against(
    panel: Panel,
    models: list[str],
    reference: Panel,
    other: str,
    rows: Ints,
    places: list[int],
    resamples: int,
    seed: int,
) -> PairedIntervals:
    """Every model against one reference.  rows: places of the panel's listeners in the reference's."""
    mine = np.concatenate([panel.values[model][:, places] for model in models], axis=1)
    theirs = np.tile(reference.values[other][rows][:, places], (1, len(models)))
    return paired_intervals(mine, theirs, resamples, seed, panel.group_columns)


def _rows(
    panel: Panel, models: list[str], other: str, columns: list[Column], found: PairedIntervals
) -> Iterator[dict[str, Any]]:
    labels = [(model, column) for model in models for column in columns]
    for group, segment in enumerate(panel.groups):
        for place, (model, column) in enumerate(labels):
            if not found.count[group, place]:
                continue
            row: dict[str, Any] = {"protocol_id": panel.name, "model": model, "other_model": other, "segment": segment}
            row |= {"metric": column.metric, "k": column.k, "listeners": int(found.count[group, place])}
            numbers = {"difference": found.difference, "ratio": found.ratio, "ci_low": found.low, "ci_high": found.high}
            said = {name: float(values[group, place]) for name, values in numbers.items()}
            yield row | {name: value if np.isfinite(value) else None for name, value in said.items()}
