"""What is watched of a week's models, and the settings of the watch.

Belongs here: the parameters, and the rows that only Python can measure. Does not: levels and what is held against them
(the warehouse's table monitoring and its seed monitoring_levels).
"""

import math
from dataclasses import dataclass, field

import pyarrow as pa

from models_ml.embedding_drift import Drift

# Settings that the warehouse goes by; it knows them as monitoring_….
WAREHOUSE_SETTINGS = ("past_weeks", "fewest_past_weeks", "may_block")

MODEL_METRICS_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("evidence_count", pa.int64()),
    ]
)


@dataclass(frozen=True)
class MonitoringParams:
    """How far back a week is held against others, and whether it may be held up."""

    past_weeks: int = field(
        default=8,
        metadata={"unit": "weeks", "min": 1, "max": 52, "doc": "A number is held against its median of so many weeks."},
    )
    fewest_past_weeks: int = field(
        default=4,
        metadata={
            "unit": "weeks",
            "min": 1,
            "max": 52,
            "doc": "With fewer there is no median; with fewer finished Mondays nothing blocks.",
        },
    )
    may_block: bool = field(
        default=True,
        metadata={"doc": "false: what would hold back a publication is a warning."},
    )

    def __post_init__(self) -> None:
        if self.fewest_past_weeks > self.past_weeks:
            raise ValueError(f"fewest_past_weeks is {self.fewest_past_weeks}; past_weeks is {self.past_weeks}")


def model_metrics(quality: pa.Table, drift: Drift | None) -> pa.Table:
    """MODEL_METRICS_SCHEMA: what the index finds for whom it finds least, and how far the factors moved.

    quality: QUALITY_SCHEMA.  drift: None where there is no week before.
    """
    rows = []
    if quality.num_rows:
        tenths = quality.to_pylist()
        evidence = sum(row["probes"] for row in tenths)
        rows.append(_row("candidate_index", "index_recall", min(row["recall"] for row in tenths), evidence))
    if drift is not None and math.isfinite(drift.distance):
        rows.append(_row("recording_factors", "embedding_drift", drift.distance, drift.shared))
    return pa.Table.from_pylist(rows, schema=MODEL_METRICS_SCHEMA)


def _row(dataset: str, metric: str, value: float, evidence: int) -> dict[str, object]:
    return {"dataset": dataset, "metric": metric, "value": value, "evidence_count": evidence}
