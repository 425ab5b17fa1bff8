"""Scores of settings on the Mondays of a plan, each found out once.

Belongs here: what is reused between two trials, the files in which listeners' scores outlive the process. Does not:
the stages themselves (models_ml/tuning/scoring.py), the search.
"""

import datetime as dt
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.configuration import Configuration
from dagster_project.settings import fill_section
from dagster_project.tuning_home import TRUTH, TuningHome, read_tables, tables_hash
from dagster_project.tuning_weeks import RANDOM, Plan
from models_ml.arrays import Ints
from models_ml.collaborative import CollaborativeFactors
from models_ml.errors import InputError
from models_ml.features import read_features
from models_ml.funnel import hashes
from models_ml.landing.storage import replacing
from models_ml.seeds import seed_for
from models_ml.tuning import scoring
from models_ml.tuning.holdout import HeldOutTruth, Hidden, draw_hidden, hidden_truth, temporal_truth, without
from models_ml.tuning.search import Score
from models_ml.tuning.space import Settings

Value = TypeVar("Value")
KEPT: Final = "kept"
FIRST_LISTENS: Final = "first_listens"
HIDDEN: Final = "hidden"
_SECONDS = b"monday_mix.seconds"


@dataclass(frozen=True)
class _Known:
    """A held-out week with the hash of what it was made from."""

    held: scoring.HeldOut
    hash: str


class Recent:
    """The values asked for last, at most so many."""

    def __init__(self, capacity: int) -> None:
        """capacity: how many are kept."""
        self._capacity = capacity
        self._values: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of the key, made where it isn't kept."""
        if key not in self._values:
            self._values[key] = make()
        self._values.move_to_end(key)
        while len(self._values) > self._capacity:
            self._values.popitem(last=False)
        value: Value = self._values[key]
        return value


class Scorer:
    """Scores any settings on all Mondays of a plan.  trained: how often factors were."""

    def __init__(self, home: TuningHome, plan: Plan, start: Configuration) -> None:
        """start: the settings that say whose truth counts and, at random, from which likes is drawn."""
        self._home, self._plan, self._start = home, plan, start
        count = len(plan.mondays)
        # A trial goes through all Mondays: fewer would be forgotten just before the next one asks.
        self._held, self._factors, self._found = Recent(count), Recent(2 * count), Recent(count)
        self.trained = 0

    @cached_property
    def truth_kind(self) -> str:
        """What truth is: hidden, or what was kept; where nothing ever was, what was first heard."""
        if self._plan.hold_out == RANDOM:
            return HIDDEN
        truths = (self._truth_table(self._plan.truth_monday(monday)) for monday in self._plan.mondays)
        kept = (pc.any(pc.and_not(truth["kept"], truth["via_own_playlist"])).as_py() for truth in truths)
        return KEPT if any(kept) else FIRST_LISTENS

    def require_truth(self) -> None:
        """InputError naming a Monday that has nothing to learn from, or nobody to ask."""
        for place, monday in enumerate(self._plan.mondays):
            lake = self._home.features(monday, self._start)
            if not pq.read_metadata(lake.path("features/interactions", monday)).num_rows:
                raise self._too_little(place, "nothing was heard before it")
        for place in range(len(self._plan.mondays)):
            if not len(self._week(place, self._start).held.truth.listeners):
                raise self._too_little(place, "nobody has truth")

    def _too_little(self, place: int, what: str) -> InputError:
        label = self._plan.labels[place]
        return InputError(f"{label}: {what} to tune on; take fewer --weeks, or another --until")

    def __call__(self, settings: Settings) -> Score:
        """The score, of files where they are there."""
        configuration = configuration_of(settings)
        tables = [self._scored(place, configuration) for place in range(len(self._plan.mondays))]
        rows = pa.concat_tables([table.replace_schema_metadata(None) for table in tables])
        seconds = sum(float(table.schema.metadata[_SECONDS]) for table in tables)
        week = np.repeat(np.arange(len(tables)), [table.num_rows for table in tables])
        listener, ndcg, recall = (rows[name].to_numpy() for name in ("listener", "ndcg", "recall"))
        return Score(week, listener, ndcg, recall, seconds)

    def _scored(self, place: int, configuration: Configuration) -> pa.Table:
        """One row per scored listener of one Monday; seconds in the metadata."""
        path = self._path(place, configuration)
        if path.exists():
            return pq.read_table(path, partitioning=None)
        started = time.monotonic()
        held, lists = self._lists(place, configuration)
        ndcg, recall = scoring.measure(held, lists)
        listener = hashes(held.features.user_id.take(pa.array(held.truth.listeners)))
        table = pa.table({"listener": listener, "ndcg": ndcg, "recall": recall})
        table = table.replace_schema_metadata({_SECONDS: f"{time.monotonic() - started:.2f}"})
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as beside:
            pq.write_table(table, beside, compression="zstd")
        return table

    def _path(self, place: int, configuration: Configuration) -> Path:
        label = self._plan.labels[place].replace(" ", "_")
        # What is hidden at random depends on how the start weighs; what comes after a Monday on nothing tried.
        kind = f"{HIDDEN}_{self._start.hash()}" if self.truth_kind == HIDDEN else self.truth_kind
        return self._home.scores / kind / configuration.hash() / f"{label}.parquet"

    def _lists(self, place: int, configuration: Configuration) -> tuple[scoring.HeldOut, Ints]:
        known = self._week(place, configuration)
        held, key = known.held, (place, known.hash, configuration.collaborative)

        def trained() -> CollaborativeFactors:
            self.trained += 1
            return scoring.train(held, configuration.collaborative)

        def found() -> list[scoring.Candidates]:
            factors = scoring.serve(held, self._factors.get(key, trained), configuration.serving)
            return scoring.find(held, factors, configuration.candidates)

        candidates = self._found.get((*key, configuration.serving, configuration.candidates), found)
        return held, scoring.rank(held, candidates, configuration.ranking, configuration.serving)

    def _week(self, place: int, configuration: Configuration) -> _Known:
        weighting = (place, *sorted(configuration.dbt_vars().items()))
        return self._held.get(weighting, lambda: self._made(place, configuration))

    def _made(self, place: int, configuration: Configuration) -> _Known:
        monday = self._plan.mondays[place]
        tables = read_tables(self._home.features(monday, configuration), monday)
        features = read_features(**tables)
        most = configuration.evaluation.sample_listeners
        if self.truth_kind == HIDDEN:
            hidden = self._hidden(place)
            truth: HeldOutTruth = hidden_truth(hidden, features, most)
            tables = without(tables, features, hidden)
            features = read_features(**tables)
        else:
            table = self._truth_table(self._plan.truth_monday(monday))
            truth = temporal_truth(table, features, most, kept_only=self.truth_kind == KEPT)
        seed = seed_for("tuning", monday, self._start.run.seed)
        return _Known(scoring.HeldOut(features, tables["interactions"], truth, seed), tables_hash(tables))

    def _hidden(self, place: int) -> Hidden:
        """What the draw hides, of what is liked under the settings at the start."""
        monday, label = self._plan.mondays[place], self._plan.labels[place]
        features = read_features(**read_tables(self._home.features(monday, self._start), monday))
        return draw_hidden(features.interactions, seed_for(f"tuning_{label}", monday, self._start.run.seed))

    def _truth_table(self, monday: dt.date) -> pa.Table:
        return self._home.features(monday, self._start).read_week(f"features/{TRUTH}", monday)


def configuration_of(settings: Settings) -> Configuration:
    """The configuration that settings by section stand for; InputError for a value out of its range."""
    sections: dict[str, type[Any]] = get_type_hints(Configuration)
    return Configuration(
        **{name: fill_section(kind, name, settings.get(name, {}), "tuning") for name, kind in sections.items()}
    )
