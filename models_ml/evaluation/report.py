"""The evaluation report: every model, protocol, segment, metric and cutoff as one row, with ceiling and interval.

Belongs here: the parameters, the protocols, which listeners count, the rows.
Does not: the metrics themselves (metrics.py), reading the tables (tables.py), which weeks (the caller).
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints, Pairs, Progress, silent
from models_ml.errors import InputError
from models_ml.evaluation.baselines import BASELINES, BaselineParams, baseline_lists
from models_ml.evaluation.bootstrap import mean_intervals
from models_ml.evaluation.metrics import (
    HIT_RATE,
    LIST_METRICS,
    NDCG,
    RECALL,
    best_metrics,
    catalogue_metrics,
    list_metrics,
    log_shares,
)
from models_ml.evaluation.segments import ALL, SegmentParams, listener_segments, restricted, track_segments
from models_ml.evaluation.tables import GivenLists, Truth, heard_counts, read_lists, read_truth
from models_ml.features import WeekFeatures
from models_ml.funnel import hashes

KEPT: Final = "kept"
FIRST_LISTENS: Final = "first_listens"
VIA_OWN_PLAYLISTS: Final = "via_own_playlists"
TRACK_SEGMENT_METRICS: Final = (RECALL, HIT_RATE, NDCG)

EVALUATION_SCHEMA = pa.schema(
    [
        ("as_of_week", pa.date32()),
        ("protocol_id", pa.string()),
        ("model", pa.string()),
        ("segment", pa.string()),
        ("metric", pa.string()),
        ("k", pa.int32()),
        ("truth_window_days", pa.int32()),
        ("value", pa.float64()),
        ("ceiling", pa.float64()),
        ("listeners", pa.int64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
    ]
)
_SORTED_BY = ("protocol_id", "model", "segment", "metric", "k")


@dataclass(frozen=True)
class EvaluationParams(BaselineParams, SegmentParams):
    """What is scored, how thoroughly, and the baselines' and segments' settings beside it."""

    window_weeks: int = field(
        default=4,
        metadata={"unit": "weeks", "min": 1, "max": 520, "doc": "Lists of so many weeks before are scored."},
    )
    short_cutoff: int = field(
        default=10,
        metadata={"unit": "tracks", "min": 1, "max": 1000, "doc": "How much of a list counts, the shorter cutoff."},
    )
    long_cutoff: int = field(
        default=30,
        metadata={"unit": "tracks", "min": 1, "max": 1000, "doc": "How much of a list counts, the longer cutoff."},
    )
    sample_listeners: int = field(
        default=20_000,
        metadata={
            "unit": "listeners",
            "min": 0,
            "max": 10**9,
            "doc": "At most so many are scored, those whose ids have the lowest hashes; 0: all.",
        },
    )
    bootstrap_resamples: int = field(
        default=1000,
        metadata={"unit": "resamples", "min": 1, "max": 100_000, "doc": "How often an interval draws anew."},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.long_cutoff <= self.short_cutoff:
            raise ValueError(f"long_cutoff is {self.long_cutoff}; it must lie above short_cutoff, {self.short_cutoff}")

    @property
    def cutoffs(self) -> tuple[int, int]:
        """The two k."""
        return self.short_cutoff, self.long_cutoff


@dataclass(frozen=True)
class _Column:
    """One number a listener, NaN where it doesn't apply; segment: the track segment it belongs to, or all."""

    segment: str
    metric: str
    k: int
    values: Floats


@dataclass(frozen=True)
class _Protocol:
    """The listeners that a protocol scores, and their truth.

    truths: by track segment, `all` for the whole truth.  groups: (b,) bool of each listener segment.
    """

    name: str
    truths: dict[str, Pairs]
    groups: dict[str, Bools]
    log_popularity: Floats

    @property
    def group_columns(self) -> Bools:
        """(b, g) the listener segments beside each other."""
        return np.stack(list(self.groups.values()), axis=1)


def evaluate(
    features: WeekFeatures,
    own_lists: Mapping[str, pa.Table],
    truth: pa.Table,
    as_of_week: dt.date,
    params: EvaluationParams,
    seed: int,
    progress: Progress = silent,
) -> pa.Table:
    """The lists of a week and the baselines' against what listeners then did: EVALUATION_SCHEMA, sorted.

    features: those of the as-of week.
    own_lists: for each of our models, its lists: user_id, position (1..), recording_id.
    truth: user_id, recording_id, kept, via_own_playlist: what was first heard in the window after the week.
    The listeners are those of the week who have a list of our own and truth; the same ones for every model.  Who has
    no list by a model counts for it with an empty one.  Means are over listeners, intervals by bootstrap.
    Raises InputError for tables that can't be used, or a model that has the name of a baseline.
    """
    clash = sorted(set(own_lists) & set(BASELINES))
    if clash:
        raise InputError(f"own_lists: a model is called {clash[0]!r}, as a baseline is; name it otherwise")
    given = {model: read_lists(table, model, features) for model, table in own_lists.items()}
    known = read_truth(truth, features)
    listeners = _scored_listeners(features, given, known, params.sample_listeners)
    rows: list[dict[str, Any]] = []
    if len(listeners):
        progress(f"evaluation: {len(listeners):,} listeners")
        ranked = {model: lists.top(listeners, params.long_cutoff) for model, lists in given.items()}
        ranked |= baseline_lists(features, listeners, params.long_cutoff, params, progress)
        for name, chosen in _protocols(known).items():
            rows += _protocol_rows(name, known.where(chosen), ranked, listeners, features, params, seed, progress)
    facts = {"as_of_week": as_of_week, "truth_window_days": 7 * params.window_weeks}
    table = pa.Table.from_pylist([row | facts for row in rows], schema=EVALUATION_SCHEMA)
    return table.sort_by([(name, "ascending") for name in _SORTED_BY])


def _protocols(truth: Truth) -> dict[str, Bools]:
    """Which pairs of the truth each protocol looks at."""
    elsewhere = ~truth.via_own_playlist
    return {
        KEPT: truth.is_kept & elsewhere,
        FIRST_LISTENS: elsewhere,
        VIA_OWN_PLAYLISTS: truth.via_own_playlist,
    }


def _scored_listeners(features: WeekFeatures, given: Mapping[str, GivenLists], truth: Truth, most: int) -> Ints:
    """Ascending positions of the listeners with a list of our own and any truth, at most so many unless 0."""
    listed = np.zeros(features.listener_count, dtype=bool)
    for lists in given.values():
        listed[lists.listener] = True
    active = np.zeros(features.listener_count, dtype=bool)
    active[truth.listener] = True
    found = np.flatnonzero(listed & active)
    if not most or len(found) <= most:
        return found
    order = np.argsort(hashes(features.user_id.take(pa.array(found))), kind="stable")
    return np.sort(found[order[:most]])


def _protocol_rows(
    name: str,
    truth: Truth,
    ranked: Mapping[str, Ints],
    listeners: Ints,
    features: WeekFeatures,
    params: EvaluationParams,
    seed: int,
    progress: Progress,
) -> list[dict[str, Any]]:
    """The rows of one protocol, none where nobody has truth."""
    active = np.isin(listeners, truth.listener)
    if not active.any():
        return []
    protocol = _protocol(name, truth.pairs(listeners[active]), listeners[active], features, params)
    ceilings = _ceilings(protocol, features.recording_count, params)
    rows: list[dict[str, Any]] = []
    for model, lists in ranked.items():
        progress(f"evaluation: {name}, {model}")
        scored = list(_columns(protocol, lists[active], params))
        found = _mean_rows(scored, protocol, ceilings, params, seed)
        found += _catalogue_rows(lists[active], features.recording_count, params)
        rows += [{"protocol_id": name, "model": model} | row for row in found]
    return rows


def _protocol(name: str, whole: Pairs, listeners: Ints, features: WeekFeatures, params: EvaluationParams) -> _Protocol:
    """The protocol's truth by track segment and its listeners by segment; recordings not known yet are in neither."""
    by_listener, by_recording = heard_counts(features)
    segments = track_segments(features.recordings.popularity_percentile, params)
    truths = {ALL: whole} | {segment: restricted(whole, kept) for segment, kept in segments.items()}
    groups = listener_segments(by_listener[listeners], params)
    return _Protocol(name, truths, groups, log_shares(by_recording, features.listener_count))


def _columns(protocol: _Protocol, lists: Ints, params: EvaluationParams) -> Iterator[_Column]:
    """Every metric of each listener, over the whole truth and over that of each track segment."""
    for segment, truth in protocol.truths.items():
        for k in params.cutoffs:
            values = list_metrics(lists, truth, k, protocol.log_popularity)
            for metric in LIST_METRICS if segment == ALL else TRACK_SEGMENT_METRICS:
                yield _Column(segment, metric, k, values[metric])


def _ceilings(protocol: _Protocol, recording_count: int, params: EvaluationParams) -> dict[tuple[str, str, int], float]:
    """Best mean that any list could reach, by (segment, metric, k); nothing for metrics without such a bound."""
    everything = np.ones(recording_count, dtype=bool)
    ceilings = {}
    for track_segment, truth in protocol.truths.items():
        sizes, reachable = (np.diff(pairs.indptr) for pairs in (truth, restricted(truth, everything)))
        for k in params.cutoffs:
            for metric, values in best_metrics(sizes, reachable, k).items():
                for group, members in protocol.groups.items():
                    counted = members & np.isfinite(values)
                    segment = group if track_segment == ALL else track_segment
                    if counted.any() and ALL in (group, track_segment):
                        ceilings[segment, metric, k] = float(values[counted].mean())
    return ceilings


def _mean_rows(
    scored: list[_Column],
    protocol: _Protocol,
    ceilings: Mapping[tuple[str, str, int], float],
    params: EvaluationParams,
    seed: int,
) -> list[dict[str, Any]]:
    """Means with intervals: listener segments over the whole truth, track segments over all listeners."""
    values = np.stack([column.values for column in scored], axis=1)
    found = mean_intervals(values, protocol.group_columns, seed, params.bootstrap_resamples)
    rows: list[dict[str, Any]] = []
    for group, name in enumerate(protocol.groups):
        for place, column in enumerate(scored):
            if not found.count[group, place] or ALL not in (name, column.segment):
                continue
            segment = name if column.segment == ALL else column.segment
            row: dict[str, Any] = {"segment": segment, "metric": column.metric, "k": column.k}
            row["value"] = float(found.mean[group, place])
            row["ceiling"] = ceilings.get((segment, column.metric, column.k))
            row["listeners"] = int(found.count[group, place])
            row["ci_low"], row["ci_high"] = (_or_none(ends[group, place]) for ends in (found.low, found.high))
            rows.append(row)
    return rows


def _catalogue_rows(lists: Ints, recording_count: int, params: EvaluationParams) -> list[dict[str, Any]]:
    """Coverage and Gini over the lists of all scored listeners; what has no value is left out."""
    rows: list[dict[str, Any]] = []
    for k in params.cutoffs:
        for metric, value in catalogue_metrics(lists, k, recording_count).items():
            if np.isfinite(value):
                row = {"segment": ALL, "metric": metric, "k": k, "value": value, "listeners": len(lists)}
                rows.append(row | {"ceiling": None, "ci_low": None, "ci_high": None})
    return rows


def _or_none(value: float) -> float | None:
    """The value, None for NaN: with very few resamples none may hold anyone."""
    return float(value) if np.isfinite(value) else None
