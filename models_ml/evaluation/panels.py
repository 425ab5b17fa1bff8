"""Panels: what each model's lists are worth to each listener of a protocol, by metric and cutoff.

Belongs here: whose lists are scored, which truth counts, one number a listener, model and column.
Does not: the metrics themselves (metrics.py, beyond_accuracy.py), means and intervals (report.py, comparisons.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints, Pairs
from models_ml.evaluation.beyond_accuracy import FACTS, Known, ListFacts
from models_ml.evaluation.metrics import (
    HIT_RATE,
    NDCG,
    RECALL,
    SERENDIPITY,
    TRUTH_METRICS,
    best_metrics,
    hits_of,
    log_shares,
    metrics_of_hits,
    serendipity,
)
from models_ml.evaluation.segments import (
    ALL,
    MARKET,
    RUNG,
    SegmentParams,
    listener_segments,
    named_segments,
    restricted,
    taste_segments,
    track_segments,
)
from models_ml.evaluation.tables import Truth, heard_counts, heard_percentile
from models_ml.features import WeekFeatures
from models_ml.genres import Genres
from models_ml.rules import RUNGS

TRACK_SEGMENT_METRICS: Final = (RECALL, HIT_RATE, NDCG)
_WHOLE: Final = (*TRUTH_METRICS, SERENDIPITY, *FACTS)


@dataclass(frozen=True)
class Column:
    """What a number is of; segment: the track segment it belongs to, or all."""

    segment: str
    metric: str
    k: int


@dataclass(frozen=True)
class Week:
    """What scoring looks up of the week whose lists are scored.

    tracks: (m,) bool of each track segment.  listeners: (n,) bool of each listener segment.
    """

    known: Known
    tracks: Mapping[str, Bools]
    listeners: Mapping[str, Bools]

    @classmethod
    def of(
        cls,
        features: WeekFeatures,
        params: SegmentParams,
        vectors: Floats | None,
        genres: Genres | None,
        rungs: Ints | None,
    ) -> "Week":
        """vectors, genres: see Known.  rungs: (n,) codes of rules.RUNGS that lists stand on; None where unknown."""
        by_listener, by_recording = heard_counts(features)
        tracks = track_segments(features.recordings.popularity_percentile, params)
        shares = log_shares(by_recording, features.listener_count)
        known = Known(features, shares, tracks["niche"], vectors, genres)
        listeners = listener_segments(by_listener, params) | taste_segments(heard_percentile(features), params)
        listeners |= named_segments(MARKET, features.popular.market_names, features.popular_list)
        if rungs is not None:
            listeners |= named_segments(RUNG, pa.array(RUNGS), rungs)
        return cls(known, tracks, listeners)


@dataclass(frozen=True)
class Population:
    """Listeners, and what each model would have given them.

    listeners: (b,) ascending positions.  lists: (b, L) by model.  expected: (b, L) the most popular ones.
    """

    listeners: Ints
    lists: Mapping[str, Ints]
    expected: Ints
    facts: Mapping[str, Mapping[tuple[str, int], Floats]]

    @classmethod
    def of(
        cls, week: Week, listeners: Ints, lists: Mapping[str, Ints], expected: Ints, cutoffs: tuple[int, ...]
    ) -> "Population":
        """With what is told of their lists whatever they did."""
        facts = ListFacts(week.known, listeners)
        return cls(listeners, lists, expected, {model: facts.of(given, cutoffs) for model, given in lists.items()})


@dataclass(frozen=True)
class Panel:
    """One protocol over the listeners of a population who have truth in it.

    rows: (r,) places of these listeners in the population.  truth: what each of them discovered.
    groups: (r,) bool of each listener segment with enough of them.  columns: of values, (r, c) by model.
    """

    name: str
    population: Population
    rows: Ints
    truth: Pairs
    groups: Mapping[str, Bools]
    columns: tuple[Column, ...]
    values: Mapping[str, Floats]

    @cached_property
    def group_columns(self) -> Bools:
        """(r, g) the listener segments beside each other."""
        return np.stack(list(self.groups.values()), axis=1)

    @property
    def listeners(self) -> Ints:
        """(r,) positions of these listeners."""
        return self.population.listeners[self.rows]


def panel_of(
    name: str, truth: Truth, population: Population, week: Week, cutoffs: tuple[int, ...], fewest: int
) -> Panel:
    """A protocol's panel.  truth: what counts in it.  fewest: listeners of a segment, `all` aside."""
    rows = np.flatnonzero(np.isin(population.listeners, truth.listener))
    listeners = population.listeners[rows]
    of_segments = {segment: members[listeners] for segment, members in week.listeners.items()}
    groups = {segment: of for segment, of in of_segments.items() if segment == ALL or of.sum() >= fewest}
    owned = truth.pairs(listeners)
    sizes = {ALL: np.diff(owned.indptr)}
    sizes |= {segment: np.diff(restricted(owned, kept).indptr) for segment, kept in week.tracks.items()}
    columns = _columns(tuple(week.tracks), cutoffs)
    values = {}
    for model, lists in population.lists.items():
        found = _values(model, lists[rows], population, rows, owned, sizes, week, cutoffs)
        values[model] = np.stack([found[column] for column in columns], axis=1)
    return Panel(name, population, rows, owned, groups, columns, values)


def _columns(tracks: tuple[str, ...], cutoffs: tuple[int, ...]) -> tuple[Column, ...]:
    metrics = [(ALL, metric) for metric in _WHOLE]
    metrics += [(segment, metric) for segment in tracks for metric in TRACK_SEGMENT_METRICS]
    return tuple(Column(segment, metric, k) for segment, metric in metrics for k in cutoffs)


def _values(
    model: str,
    lists: Ints,
    population: Population,
    rows: Ints,
    truth: Pairs,
    sizes: Mapping[str, Ints],
    week: Week,
    cutoffs: tuple[int, ...],
) -> dict[Column, Floats]:
    """Every column of one model; hits are looked up once for all cutoffs and track segments."""
    hits = hits_of(lists, truth, week.known.features.recording_count)
    known = np.where(lists >= 0, lists, -1)
    of_segment = {ALL: hits} | {segment: hits & np.append(kept, False)[known] for segment, kept in week.tracks.items()}
    found = {}
    for k in cutoffs:
        for segment, among in of_segment.items():
            for metric, values in metrics_of_hits(among, sizes[segment], k).items():
                found[Column(segment, metric, k)] = values
        found[Column(ALL, SERENDIPITY, k)] = serendipity(hits, lists, population.expected[rows], sizes[ALL], k)
        for metric in FACTS:
            found[Column(ALL, metric, k)] = population.facts[model][metric, k][rows]
    return found


def ceilings(panel: Panel, week: Week, cutoffs: tuple[int, ...]) -> dict[tuple[str, str, int], float]:
    """Best mean that any list could reach, by (segment, metric, k); nothing for metrics without such a bound."""
    everything = np.ones(week.known.features.recording_count, dtype=bool)
    truths = {ALL: panel.truth} | {segment: restricted(panel.truth, kept) for segment, kept in week.tracks.items()}
    best = {}
    for track_segment, truth in truths.items():
        sizes, reachable = (np.diff(pairs.indptr) for pairs in (truth, restricted(truth, everything)))
        for k in cutoffs:
            for metric, values in best_metrics(sizes, reachable, k).items():
                for group, members in panel.groups.items():
                    counted = members & np.isfinite(values)
                    segment = group if track_segment == ALL else track_segment
                    if counted.any() and ALL in (group, track_segment):
                        best[segment, metric, k] = float(values[counted].mean())
    return best
