"""Ablations: lists made from one family of the score alone, or from all families but one.

Belongs here: what such a model is called, and which rows say what a family is worth.
Does not: making the lists (models_ml/ablated.py), holding them against others (comparisons.py).
"""

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

ALONE: Final = "alone_"
WITHOUT: Final = "without_"


def is_ablation(model: str) -> bool:
    """Whether a model is one family alone, or all but one."""
    return model.startswith((ALONE, WITHOUT))


def family_rows(comparisons: pa.Table) -> list[dict[str, Any]]:
    """The rows of families alone and left out against all together: nDCG over all listeners, by what they kept."""
    wanted = {"protocol_id": "kept", "segment": "all", "metric": "ndcg", "other_model": "ranked"}
    for name, value in wanted.items():
        comparisons = comparisons.filter(pc.equal(comparisons[name], value))
    return [row for row in comparisons.to_pylist() if is_ablation(row["model"])]
