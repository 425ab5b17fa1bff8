"""The gate: how far a candidate's lists may be from the baseline's, and what it has to show, before it is published.

Belongs here: the thresholds, which of a comparison's numbers each is held against, the verdict.
Does not: the numbers (report.py), a week against the week before (weekly.py).

The verdict rests on what listeners did. An off-policy estimate is told beside it and never counted: it is one when the
candidate gives what the log can't say, and a gate that let it through on that would be passed by the strangest lists.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from models_ml.comparison.lists import POPULARITY
from models_ml.comparison.report import (
    CHANGED_SHARE,
    LOST_SHARE,
    OFF_POLICY_VALUE,
    OVERLAP,
    TRUTHS,
    Measured,
    truth_metric,
)
from models_ml.comparison.weekly import WeeklyParams
from models_ml.evaluation.beyond_accuracy import GENRE_KL, NEW_ARTIST_SHARE
from models_ml.evaluation.metrics import COVERAGE, NDCG, NOVELTY
from models_ml.evaluation.segments import ALL

PASSED, FAILED, UNDECIDED = "passed", "failed", "undecided"
TOLD, UNKNOWN, NOT_IDENTIFIABLE = "told", "unknown", "not identifiable"

JUDGED_SCHEMA = pa.schema(
    [
        ("lists_of", pa.date32()),
        ("segment", pa.string()),
        ("metric", pa.string()),
        ("baseline", pa.float64()),
        ("candidate", pa.float64()),
        ("value", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("listeners", pa.int64()),
        ("threshold", pa.string()),
        ("least", pa.float64()),
        ("most", pa.float64()),
        ("status", pa.string()),
    ]
)


@dataclass(frozen=True)
class GateParams(WeeklyParams):
    """What a change of settings or weights has to keep to, and what each week has to."""

    requires_comparison: bool = field(
        default=False,
        metadata={"doc": "A week made otherwise than the last published one needs a comparison that passed"},
    )
    requires_approval: bool = field(
        default=False,
        metadata={"doc": "A week needs a person's `approve`, who has looked at the golden listeners' lists"},
    )
    least_overlap: float = field(
        default=0.1,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "Of thirty that both lists hold, in the mean"},
    )
    most_changed_share: float = field(
        default=0.5,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "Of listeners over 80 % of whose list is another"},
    )
    most_lost_share: float = field(
        default=0.01,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "Of listeners who would have no list any more"},
    )
    most_popularity_shift: float = field(
        default=0.1,
        metadata={"unit": "percentile", "min": 0.0, "max": 1.0, "doc": "Of lists' mean popularity, either way; 0 to 1"},
    )
    most_novelty_shift: float = field(
        default=1.0,
        metadata={"unit": "bits", "min": 0.0, "max": 100.0, "doc": "Of lists' mean self-information, either way"},
    )
    most_genre_kl_rise: float = field(
        default=0.2,
        metadata={"unit": "nats", "min": 0.0, "max": 100.0, "doc": "Of lists' mean distance from listeners' genres"},
    )
    most_new_artist_shift: float = field(
        default=0.2,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of slots by artists new to the listener, either way",
        },
    )
    least_coverage_ratio: float = field(
        default=0.7,
        metadata={
            "unit": "ratio",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of recordings given to anyone, against the baseline",
        },
    )
    most_ndcg_loss: float = field(
        default=0.1,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of the baseline's nDCG that the lower end of the difference's interval may lie below it",
        },
    )


@dataclass(frozen=True)
class Judged:
    """A number with the threshold it is held against: the setting's name, and what it allows; None for no bound."""

    measured: Measured
    threshold: str | None
    least: float | None
    most: float | None
    status: str


@dataclass(frozen=True)
class Verdict:
    """passed, failed or undecided, with every number judged."""

    verdict: str
    rows: tuple[Judged, ...]

    @property
    def failed(self) -> list[Judged]:
        """Numbers outside what is allowed."""
        return [row for row in self.rows if row.status == FAILED]

    def to_arrow(self) -> pa.Table:
        """JUDGED_SCHEMA, a row a number."""
        rows = [
            {
                "lists_of": one.measured.lists_of,
                "segment": one.measured.segment,
                "metric": one.measured.metric,
                "baseline": one.measured.baseline,
                "candidate": one.measured.candidate,
                "value": one.measured.value,
                "ci_low": one.measured.low,
                "ci_high": one.measured.high,
                "listeners": one.measured.listeners,
                "threshold": one.threshold,
                "least": one.least,
                "most": one.most,
                "status": one.status,
            }
            for one in self.rows
        ]
        return pa.Table.from_pylist(rows, schema=JUDGED_SCHEMA)


Bounds = Callable[[GateParams, Measured], tuple[float | None, float | None]]
_THRESHOLDS: Final[dict[str, tuple[str, Bounds]]] = {
    OVERLAP: ("least_overlap", lambda gate, _: (gate.least_overlap, None)),
    CHANGED_SHARE: ("most_changed_share", lambda gate, _: (None, gate.most_changed_share)),
    LOST_SHARE: ("most_lost_share", lambda gate, _: (None, gate.most_lost_share)),
    POPULARITY: ("most_popularity_shift", lambda gate, _: (-gate.most_popularity_shift, gate.most_popularity_shift)),
    NOVELTY: ("most_novelty_shift", lambda gate, _: (-gate.most_novelty_shift, gate.most_novelty_shift)),
    GENRE_KL: ("most_genre_kl_rise", lambda gate, _: (None, gate.most_genre_kl_rise)),
    NEW_ARTIST_SHARE: (
        "most_new_artist_shift",
        lambda gate, _: (-gate.most_new_artist_shift, gate.most_new_artist_shift),
    ),
    COVERAGE: (
        "least_coverage_ratio",
        lambda gate, one: ((gate.least_coverage_ratio - 1.0) * (one.baseline or 0.0), None),
    ),
}
_NDCG_THRESHOLD: Final[tuple[str, Bounds]] = (
    "most_ndcg_loss",
    lambda gate, one: (-gate.most_ndcg_loss * (one.baseline or 0.0), None),
)


def judge(rows: Sequence[Measured], params: GateParams) -> Verdict:
    """Every number held against its threshold, over all listeners, and the verdict.

    failed: any lies outside what is allowed. undecided: none does, but nobody's truth is known yet, so that the change
    has shown nothing. passed otherwise.
    """
    decisive = _decisive(rows)
    judged = tuple(_judged(one, params, decisive) for one in rows)
    if any(one.status == FAILED for one in judged):
        return Verdict(FAILED, judged)
    return Verdict(UNDECIDED if decisive is None else PASSED, judged)


def _decisive(rows: Sequence[Measured]) -> str | None:
    """NDCG on what was kept; where nothing ever is, on first listens; None without either."""
    known = {one.metric for one in rows if one.segment == ALL and one.low is not None}
    return next((name for name in (truth_metric(NDCG, truth) for truth in TRUTHS) if name in known), None)


def _judged(one: Measured, params: GateParams, decisive: str | None) -> Judged:
    if one.metric == OFF_POLICY_VALUE and one.value is None:
        return Judged(one, None, None, None, NOT_IDENTIFIABLE)
    named = _NDCG_THRESHOLD if one.metric == decisive else _THRESHOLDS.get(one.metric)
    if one.segment != ALL or named is None:
        return Judged(one, None, None, None, TOLD)
    least, most = named[1](params, one)
    held = one.low if one.metric == decisive else one.value
    if held is None:
        return Judged(one, named[0], least, most, UNKNOWN)
    outside = (least is not None and held < least) or (most is not None and held > most)
    return Judged(one, named[0], least, most, FAILED if outside else PASSED)
