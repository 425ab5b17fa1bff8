"""The evaluation report: every model, protocol, segment, metric and cutoff as one row, with ceiling and interval.

Belongs here: the parameters, the protocols, which listeners count, the rows.
Does not: each listener's values (panels.py), models against each other (comparisons.py), reading the tables
(tables.py), which weeks (the caller).

Our own lists and the baselines' are scored on the same listeners. Lists of one family of the score alone, or of all but
one, are there for a sample of the listeners only: they are scored on those, and held against the others on those.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints, Progress, silent
from models_ml.errors import InputError
from models_ml.evaluation.ablation import is_ablation
from models_ml.evaluation.baselines import BASELINES, MOST_POPULAR, BaselineParams, baseline_lists
from models_ml.evaluation.bootstrap import mean_intervals
from models_ml.evaluation.comparisons import COMPARISONS_SCHEMA, comparison_rows
from models_ml.evaluation.metrics import catalogue_metrics
from models_ml.evaluation.panels import Panel, Population, Week, ceilings, panel_of
from models_ml.evaluation.segments import ALL, SegmentParams
from models_ml.evaluation.tables import GivenLists, Truth, read_lists, read_truth
from models_ml.features import WeekFeatures
from models_ml.funnel import hashes
from models_ml.genres import Genres

KEPT: Final = "kept"
FIRST_LISTENS: Final = "first_listens"
VIA_OWN_PLAYLISTS: Final = "via_own_playlists"
# Models whose columns lie beside each other in one round of resampling: each round draws anew.
_MODELS_AT_ONCE: Final = 8

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
    ablation_listeners: int = field(
        default=2000,
        metadata={
            "unit": "listeners",
            "min": 0,
            "max": 10**9,
            "doc": "For so many, those whose ids have the lowest hashes, the best by each family of the score alone "
            "and by all but it are kept, to be scored beside the whole.",
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
class Beside:
    """What the report can say more with, where the week has it.

    ablated: by model, lists of a sample of the listeners, columns as of own_lists.
    vectors: (m, d) where each recording lies, zero where nothing is known.  genres: of the recordings.
    rungs: (n,) codes of rules.RUNGS that lists stand on.
    """

    ablated: Mapping[str, pa.Table] = field(default_factory=dict)
    vectors: Floats | None = None
    genres: Genres | None = None
    rungs: Ints | None = None


@dataclass(frozen=True)
class EvaluationTables:
    """metrics: EVALUATION_SCHEMA.  comparisons: COMPARISONS_SCHEMA."""

    metrics: pa.Table
    comparisons: pa.Table


def evaluate(
    features: WeekFeatures,
    own_lists: Mapping[str, pa.Table],
    truth: pa.Table,
    as_of_week: dt.date,
    params: EvaluationParams,
    seed: int,
    progress: Progress = silent,
) -> pa.Table:
    """The metrics alone, of lists that nothing more is known of; see `evaluation_tables`."""
    return evaluation_tables(features, own_lists, truth, as_of_week, params, seed, progress).metrics


def evaluation_tables(
    features: WeekFeatures,
    own_lists: Mapping[str, pa.Table],
    truth: pa.Table,
    as_of_week: dt.date,
    params: EvaluationParams,
    seed: int,
    progress: Progress = silent,
    beside: Beside | None = None,
) -> EvaluationTables:
    """The lists of a week and the baselines' against what listeners then did, sorted.

    features: those of the as-of week.
    own_lists: for each of our models, its lists: user_id, position (1..), recording_id.
    truth: user_id, recording_id, kept, via_own_playlist: what was first heard in the window after the week.
    The listeners are those of the week who have a list of our own and truth; the same ones for every model.  Who has
    no list by a model counts for it with an empty one.  Means are over listeners, intervals by bootstrap.
    Raises InputError for tables that can't be used, or a model that has the name of a baseline or of an ablation.
    """
    rows: list[dict[str, Any]] = []
    compared: list[dict[str, Any]] = []
    for week, panels in scored_panels(features, own_lists, truth, params, progress, beside):
        for panel in panels:
            rows += _panel_rows(panel, week, params, seed, progress)
        compared += comparison_rows(panels[0], panels, params.long_cutoff, params.bootstrap_resamples, seed)
    return EvaluationTables(
        _table(rows, {"as_of_week": as_of_week, "truth_window_days": 7 * params.window_weeks}, EVALUATION_SCHEMA),
        _table(compared, {"as_of_week": as_of_week}, COMPARISONS_SCHEMA),
    )


def scored_panels(
    features: WeekFeatures,
    own_lists: Mapping[str, pa.Table],
    truth: pa.Table,
    params: EvaluationParams,
    progress: Progress = silent,
    beside: Beside | None = None,
) -> Iterator[tuple[Week, list[Panel]]]:
    """Each listener's values, protocol by protocol: of our own lists and the baselines', and of families of the score.

    Both panels may be without listeners.  See `evaluation_tables`.
    """
    beside = beside or Beside()
    _names_are_free(own_lists, beside)
    given = {model: read_lists(table, model, features) for model, table in own_lists.items()}
    ablated = {model: read_lists(table, model, features) for model, table in beside.ablated.items()}
    known = read_truth(truth, features)
    listeners = _scored_listeners(features, given, known, params.sample_listeners)
    if not len(listeners):
        return
    progress(f"evaluation: {len(listeners):,} listeners")
    week = Week.of(features, params, beside.vectors, beside.genres, beside.rungs)
    ranked = {model: lists.top(listeners, params.long_cutoff) for model, lists in given.items()}
    ranked |= baseline_lists(features, listeners, params.long_cutoff, params, progress)
    whole = Population.of(week, listeners, ranked, ranked[MOST_POPULAR], params.cutoffs)
    sample = _sample(whole, ablated, week, params)
    for name, chosen in _protocols(known).items():
        progress(f"evaluation: {name}")
        yield (
            week,
            [
                panel_of(name, known.where(chosen), population, week, params.cutoffs, params.fewest_listeners)
                for population in (whole, sample)
            ],
        )


def _names_are_free(own_lists: Mapping[str, pa.Table], beside: Beside) -> None:
    clash = sorted(set(own_lists) & set(BASELINES))
    if clash:
        raise InputError(f"own_lists: a model is called {clash[0]!r}, as a baseline is; name it otherwise")
    wrong = sorted(name for name in {*own_lists, *beside.ablated} if is_ablation(name) != (name in beside.ablated))
    if wrong:
        raise InputError(
            f"a model is called {wrong[0]!r}; alone_ and without_ are for lists of a sample, and only they"
        )


def _table(rows: list[dict[str, Any]], facts: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    table = pa.Table.from_pylist([{**row, **facts} for row in rows], schema=schema)
    order = ("protocol_id", "model", "other_model", "segment", "metric", "k")
    return table.sort_by([(name, "ascending") for name in order if name in schema.names])


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


def _sample(whole: Population, ablated: Mapping[str, GivenLists], week: Week, params: EvaluationParams) -> Population:
    """Those of the listeners for whom lists of families alone were kept: who has any of them."""
    listed = np.zeros(week.known.features.listener_count, dtype=bool)
    for lists in ablated.values():
        listed[lists.listener] = True
    chosen = listed[whole.listeners]
    listeners = whole.listeners[chosen]
    given = {model: lists.top(listeners, params.long_cutoff) for model, lists in ablated.items()}
    return Population.of(week, listeners, given, whole.expected[chosen], params.cutoffs)


def _panel_rows(
    panel: Panel, week: Week, params: EvaluationParams, seed: int, progress: Progress
) -> Iterator[dict[str, Any]]:
    """The rows of one protocol, none where nobody has truth."""
    if not len(panel.rows):
        return
    best = ceilings(panel, week, params.cutoffs)
    models = list(panel.values)
    for start in range(0, len(models), _MODELS_AT_ONCE):
        together = models[start : start + _MODELS_AT_ONCE]
        progress(f"evaluation: {panel.name}, {', '.join(together)}")
        yield from _mean_rows(panel, together, best, params, seed)
    for model in models:
        lists = panel.population.lists[model][panel.rows]
        for row in _catalogue_rows(lists, week.known.features.recording_count, params):
            yield {"protocol_id": panel.name, "model": model} | row


def _mean_rows(
    panel: Panel, models: list[str], best: Mapping[tuple[str, str, int], float], params: EvaluationParams, seed: int
) -> Iterator[dict[str, Any]]:
    """Means with intervals: listener segments over the whole truth, track segments over all listeners."""
    values = np.concatenate([panel.values[model] for model in models], axis=1)
    found = mean_intervals(values, panel.group_columns, seed, params.bootstrap_resamples)
    labels = [(model, column) for model in models for column in panel.columns]
    for group, name in enumerate(panel.groups):
        for place, (model, column) in enumerate(labels):
            if not found.count[group, place] or ALL not in (name, column.segment):
                continue
            segment = name if column.segment == ALL else column.segment
            row: dict[str, Any] = {"protocol_id": panel.name, "model": model, "segment": segment}
            row |= {"metric": column.metric, "k": column.k, "value": float(found.mean[group, place])}
            row["ceiling"] = best.get((segment, column.metric, column.k))
            row["listeners"] = int(found.count[group, place])
            row["ci_low"], row["ci_high"] = (_or_none(ends[group, place]) for ends in (found.low, found.high))
            yield row


def _catalogue_rows(lists: Ints, recording_count: int, params: EvaluationParams) -> Iterator[dict[str, Any]]:
    """Coverage and Gini over the lists of all scored listeners; what has no value is left out."""
    for k in params.cutoffs:
        for metric, value in catalogue_metrics(lists, k, recording_count).items():
            if np.isfinite(value):
                row = {"segment": ALL, "metric": metric, "k": k, "value": value, "listeners": len(lists)}
                yield row | {"ceiling": None, "ci_low": None, "ci_high": None}


def _or_none(value: float) -> float | None:
    """The value, None for NaN: with very few resamples none may hold anyone."""
    return float(value) if np.isfinite(value) else None
