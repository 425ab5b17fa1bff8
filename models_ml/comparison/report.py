"""The comparison: every segment and metric as one row, both sides, their difference and its interval.

Belongs here: which listeners count, means with intervals, what has no interval, the table. Does not: values of a list
(lists.py), thresholds (gate.py).

Differences are of the same listeners under both recipes, resampled together: who is easy to please is so by either.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints, joined
from models_ml.comparison.lists import LIST_LENGTH, Yardstick, overlap
from models_ml.evaluation.bootstrap import mean_intervals
from models_ml.evaluation.metrics import HIT_RATE, NDCG, RECALL, catalogue_metrics, list_metrics
from models_ml.evaluation.paired import paired_intervals
from models_ml.evaluation.report import FIRST_LISTENS, KEPT
from models_ml.evaluation.segments import ALL, RUNG, SegmentParams, named_segments
from models_ml.evaluation.tables import GivenLists, Truth, read_truth
from models_ml.off_policy.estimates import Estimate
from models_ml.rules import RUNGS

OVERLAP: Final = "overlap_at_30"
CHANGED_SHARE: Final = "changed_share"
LOST_SHARE: Final = "lost_share"
OFF_POLICY_VALUE: Final = "off_policy_value"
DECILES: Final = tuple(f"overlap_decile_{decile}" for decile in range(1, 10))
TRUTHS: Final = (KEPT, FIRST_LISTENS)
TRUTH_METRICS: Final = (NDCG, RECALL, HIT_RATE)
# A list of which less than this stays has changed altogether.
_LITTLE_STAYS = 0.2


@dataclass(frozen=True)
class Measured:
    """One number of a comparison.

    lists_of: the Monday whose lists it is about.  baseline, candidate: None where it is about both at once.
    value: the candidate's less the baseline's, or what it says of both; None where nothing can be said.
    low, high: its interval over listeners, None where it is no mean.
    """

    lists_of: dt.date
    segment: str
    metric: str
    baseline: float | None
    candidate: float | None
    value: float | None
    low: float | None
    high: float | None
    listeners: int


@dataclass(frozen=True)
class Side:
    """What one recipe gave: user_id, position, recording_id of every slot; user_id, listener_rung of every list."""

    slots: pa.Table
    playlists: pa.Table


@dataclass(frozen=True)
class Draws:
    """How often an interval draws anew, and from which seed."""

    resamples: int
    seed: int


@dataclass(frozen=True)
class _Both:
    """Listeners with a list by both recipes, ascending, their lists, and the segments they are in."""

    listeners: Ints
    baseline: Ints
    candidate: Ints
    groups: dict[str, Bools]


def compare_lists(
    baseline: Side, candidate: Side, yardstick: Yardstick, week: dt.date, params: SegmentParams, draws: Draws
) -> list[Measured]:
    """How far two recipes' lists of a week lie apart."""
    given = yardstick.lists(baseline.slots, "baseline"), yardstick.lists(candidate.slots, "candidate")
    both = _both(baseline, given, yardstick, params)
    shared = overlap(both.baseline, both.candidate)
    apart = {OVERLAP: shared, CHANGED_SHARE: (shared < _LITTLE_STAYS).astype(np.float64)}
    before, after = (yardstick.values(lists, both.listeners) for lists in (both.baseline, both.candidate))
    means = [*_of_both(apart, both.groups, week, draws), *_differences(before, after, both.groups, week, draws)]
    deciles = [
        Measured(week, ALL, name, None, None, value, None, None, len(shared))
        for name, value in zip(DECILES, _deciles(shared), strict=True)
    ]
    return [*means, *deciles, *_spreads(both, yardstick, week), _lost(given, week)]


def compare_on_truth(
    baseline: Side,
    candidate: Side,
    truth: pa.Table,
    yardstick: Yardstick,
    week: dt.date,
    params: SegmentParams,
    draws: Draws,
) -> list[Measured]:
    """How much more of what listeners then found for themselves a recipe's lists of a past week hold.

    truth: user_id, recording_id, kept, via_own_playlist: what was first heard in the window after the week. What was
    first heard inside our lists is no truth for either side.
    """
    given = yardstick.lists(baseline.slots, "baseline"), yardstick.lists(candidate.slots, "candidate")
    both = _both(baseline, given, yardstick, params)
    known = read_truth(truth, yardstick.features)
    elsewhere = ~known.via_own_playlist
    chosen = {KEPT: known.where(known.is_kept & elsewhere), FIRST_LISTENS: known.where(elsewhere)}
    before, after = (_found(lists, both, chosen, yardstick) for lists in (both.baseline, both.candidate))
    return list(_differences(before, after, both.groups, week, draws))


def nothing_off_policy(week: dt.date) -> Measured:
    """The row of the off-policy estimate, where the logged chances don't identify it."""
    return Measured(week, ALL, OFF_POLICY_VALUE, None, None, None, None, None, 0)


def off_policy_row(week: dt.date, found: Estimate) -> Measured:
    """The row of an off-policy estimate, with nothing said where it couldn't be told.  week: whose lists it is from."""
    if found.value is None or found.difference is None:
        return nothing_off_policy(week)
    ends = found.difference_low, found.difference_high
    return Measured(
        week, ALL, OFF_POLICY_VALUE, found.value - found.difference, found.value, found.difference, *ends, found.lists
    )


def truth_metric(metric: str, truth: str) -> str:
    """The name of a metric on one kind of truth."""
    return f"{metric}_{truth}"


def _both(baseline: Side, given: tuple[GivenLists, GivenLists], yardstick: Yardstick, params: SegmentParams) -> _Both:
    listeners = np.intersect1d(given[0].listener, given[1].listener)
    tops = [lists.top(listeners, LIST_LENGTH) for lists in given]
    groups = yardstick.segments(listeners, params) | _rungs(baseline.playlists, yardstick, listeners)
    return _Both(
        listeners, tops[0], tops[1], {name: rows for name, rows in groups.items() if name == ALL or rows.any()}
    )


def _rungs(playlists: pa.Table, yardstick: Yardstick, listeners: Ints) -> dict[str, Bools]:
    """(b,) bool of each rung of the ladder that a listener stood on with the baseline."""
    users = yardstick.features.user_id.take(pa.array(listeners))
    row = pc.index_in(users, joined(playlists["user_id"]))
    rungs = pc.index_in(joined(playlists["listener_rung"]).take(row), pa.array(RUNGS))
    return named_segments(RUNG, pa.array(RUNGS), rungs.to_numpy(zero_copy_only=False).astype(np.int64))


def _found(lists: Ints, both: _Both, truths: Mapping[str, Truth], yardstick: Yardstick) -> dict[str, Floats]:
    """(b,) of each metric on each truth, NaN for listeners without any."""
    values: dict[str, Floats] = {}
    for name, truth in truths.items():
        metrics = list_metrics(lists, truth.pairs(both.listeners), LIST_LENGTH, yardstick.log_popularity)
        values |= {truth_metric(metric, name): metrics[metric] for metric in TRUTH_METRICS}
    return values


def _of_both(
    values: Mapping[str, Floats], groups: Mapping[str, Bools], week: dt.date, draws: Draws
) -> Iterator[Measured]:
    """Means of what is said of both lists at once."""
    found = mean_intervals(np.stack(list(values.values()), axis=1), _columns(groups), draws.seed, draws.resamples)
    for group, segment in enumerate(groups):
        for column, metric in enumerate(values):
            mean, low, high = _ends((found.mean, found.low, found.high), group, column)
            yield Measured(week, segment, metric, None, None, mean, low, high, int(found.count[group, column]))


def _differences(
    baseline: Mapping[str, Floats],
    candidate: Mapping[str, Floats],
    groups: Mapping[str, Bools],
    week: dt.date,
    draws: Draws,
) -> Iterator[Measured]:
    """Means of both sides over the listeners that have a value by both, and of the difference with its interval."""
    sides = [np.stack([side[name] for name in baseline], axis=1) for side in (baseline, candidate)]
    there = np.isfinite(sides[0]) & np.isfinite(sides[1])
    found = paired_intervals(sides[1], sides[0], draws.resamples, draws.seed, _columns(groups))
    for group, (segment, members) in enumerate(groups.items()):
        for column, metric in enumerate(baseline):
            rows = members & there[:, column]
            if not rows.any():
                continue
            before, after = (float(side[rows, column].mean()) for side in sides)
            mean, low, high = _ends((found.difference, found.low, found.high), group, column)
            yield Measured(week, segment, metric, before, after, mean, low, high, int(rows.sum()))


def _spreads(both: _Both, yardstick: Yardstick, week: dt.date) -> Iterator[Measured]:
    """Coverage and Gini of exposure over the lists of each segment."""
    for segment, members in both.groups.items():
        sides = [
            catalogue_metrics(lists[members], LIST_LENGTH, yardstick.features.recording_count)
            for lists in (both.baseline, both.candidate)
        ]
        for metric in sides[0]:
            before, after = sides[0][metric], sides[1][metric]
            yield Measured(week, segment, metric, before, after, after - before, None, None, int(members.sum()))


def _lost(given: tuple[GivenLists, GivenLists], week: dt.date) -> Measured:
    """Share of the listeners with a list by the baseline who have none by the candidate."""
    before, after = (np.unique(lists.listener) for lists in given)
    lost = float(np.mean(~np.isin(before, after))) if len(before) else 0.0
    return Measured(week, ALL, LOST_SHARE, None, None, lost, None, None, len(before))


def _deciles(shared: Floats) -> list[float | None]:
    if not len(shared):
        return [None] * len(DECILES)
    return [float(value) for value in np.quantile(shared, np.arange(1, 10) / 10)]


def _columns(groups: Mapping[str, Bools]) -> Bools:
    return np.stack(list(groups.values()), axis=1) if groups else np.zeros((0, 0), dtype=bool)


def _ends(
    found: tuple[Floats, Floats, Floats], group: int, column: int
) -> tuple[float | None, float | None, float | None]:
    """Mean, low and high, None for what nobody has."""
    mean, low, high = (float(values[group, column]) for values in found)
    return _or_none(mean), _or_none(low), _or_none(high)


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
