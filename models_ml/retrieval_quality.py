"""How much of the exact answer a search finds, and for whom it isn't enough.

Belongs here: listeners by how popular their taste is, recall measured for each tenth of them, the gate. Does not: the
engines (retrieval.py) or filters.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints
from models_ml.features import Interactions
from models_ml.retrieval import ExactRetriever, RetrievalParams, Retriever, recall_of_each

DECILES = 10
NO_TASTE = -1

QUALITY_SCHEMA = pa.schema(
    {
        "decile": pa.int32(),
        "engine": pa.string(),
        "k": pa.int32(),
        "probes": pa.int32(),
        "recall": pa.float64(),
        "searched": pa.string(),
    }
)


@dataclass(frozen=True)
class Probes:
    """Listeners that recall is measured on.  listeners: (p,) positions.  decile: (p,) of each, 0 the nichest."""

    listeners: Ints
    decile: Ints


def taste_deciles(interactions: Interactions, popularity_percentile: Floats, has_vector: Bools) -> Ints:
    """(n,) tenth of the listeners by the mean popularity of what they like: 0 the nichest, 9 the most popular taste.

    NO_TASTE without a vector. Who likes nothing stands in the middle, at the median of the others. Ties go by position,
    so that the tenths are equally large.
    """
    liked = interactions.preference > 0
    owner = np.repeat(np.arange(len(has_vector)), np.diff(interactions.pairs.indptr))[liked]
    percentile = popularity_percentile[interactions.pairs.values[liked]]
    count = np.bincount(owner, minlength=len(has_vector))
    mean = np.bincount(owner, weights=percentile, minlength=len(has_vector)) / np.maximum(count, 1)
    tasting = has_vector & (count > 0)
    mean[count == 0] = np.median(mean[tasting]) if tasting.any() else 0.0
    decile = np.full(len(has_vector), NO_TASTE, dtype=np.int32)
    members = np.flatnonzero(has_vector)
    order = members[np.argsort(mean[members], kind="stable")]
    decile[order] = np.arange(len(order)) * DECILES // max(len(order), 1)
    return decile


def choose_probes(deciles: Ints, count: int, seed: int) -> Probes:
    """Up to count listeners, as many of each tenth, drawn without replacement."""
    random = np.random.default_rng(seed)
    each = max(1, count // DECILES)
    drawn = [random.permutation(np.flatnonzero(deciles == decile))[:each] for decile in range(DECILES)]
    listeners = np.sort(np.concatenate(drawn))
    return Probes(listeners, deciles[listeners])


def measure(
    retriever: Retriever, exact: ExactRetriever, listener_factors: Floats, probes: Probes, params: RetrievalParams
) -> pa.Table:
    """Recall of each tenth at params.recall_at, and how it will be searched (QUALITY_SCHEMA)."""
    engine = "exact" if isinstance(retriever, ExactRetriever) else "usearch"
    k = params.recall_at
    recall = recall_of_each(retriever, exact, listener_factors[probes.listeners], k)
    rows = []
    for decile in np.unique(probes.decile):
        mine = recall[probes.decile == decile]
        found = float(np.nanmean(mine)) if np.isfinite(mine).any() else 1.0
        rows.append(
            {
                "decile": int(decile),
                "engine": engine,
                "k": k,
                "probes": len(mine),
                "recall": found,
                "searched": engine if found >= params.minimum_recall else "exact",
            }
        )
    return pa.Table.from_pylist(rows, schema=QUALITY_SCHEMA)


def searched_exactly(deciles: Ints, quality: pa.Table) -> Bools:
    """(n,) True for listeners of a tenth for which the index finds too little."""
    failing = [row["decile"] for row in quality.to_pylist() if row["searched"] == "exact"]
    return np.isin(deciles, failing)
