"""Where tuning works: `<home>/tuning/`, with feature tables of its own for every Monday and weighting it tries.

Belongs here: what it reads of the home, its tables. Does not: which Mondays (tuning_weeks.py), scores
(tuning_scores.py).

Nothing of the home outside this folder is written, but that who was forgotten is taken out of what landed since, as a
run does. Landing is read once, when a tuning begins, and what intake has taken in already is linked; so a Monday can
run meanwhile, and no run lock of the home is held.
"""

import datetime as dt
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from dagster_project.assets.playlists import FEATURES_READ
from dagster_project.configuration import Configuration
from dagster_project.features_apart import build_apart, prepare_apart
from dagster_project.forgetting import forget_landed
from dagster_project.forgotten import Forgotten
from dagster_project.home import Home
from dagster_project.lake import Lake, content_hash
from dagster_project.manifest import code_hash
from dagster_project.recipe import own_weights, put_weights
from dagster_project.run_lock import hold_run_lock
from models_ml.landing.contract import require_datasets
from models_ml.landing.hashes import CACHE_NAME
from models_ml.landing.intake import take_in

TRUTH: Final = "evaluation_truth"
TABLES: Final = (*FEATURES_READ, TRUTH)
# Settings that change nothing but how much an act weighs, and the models between them and the features.
REWEIGHTING: Final = frozenset(
    {"confidence_alpha", "negative_threshold", "half_life_scale", "statement_half_life_days", "skip_strength"}
)
REWEIGHTED_MODELS: Final = (
    "int_listening_engagement",
    "int_stated_engagement",
    "int_engagement",
    "interactions",
    "recordings",
    "market_popularity",
)


@dataclass(frozen=True)
class Inputs:
    """The landing files of a tuning.  hash: of them and of the code, so that old scores of either are not reused."""

    files: pa.Table
    has_events: bool
    hash: str


@dataclass(frozen=True)
class TuningHome:
    """`<home>/tuning/`: tuned.toml, trials.parquet, scores, and `work/`, which may be deleted at any time."""

    home: Home
    say: Callable[[str], None]

    @property
    def root(self) -> Path:
        """The folder."""
        return self.home.root / "tuning"

    @property
    def intake(self) -> Path:
        """Landing files as tuning reads them."""
        return self.root / "work" / "intake"

    @cached_property
    def inputs(self) -> Inputs:
        """What lies in landing when it is first asked for."""
        _without_forgotten(self.home, self.say)
        link_intake(self.home.intake, self.intake)
        report = take_in(self.home.landing, self.intake, dt.datetime.now(dt.UTC), self.say)
        require_datasets(set(report.landed_datasets), self.home.landing)
        files = report.to_arrow()
        contents = files.select(["dataset", "path", "content_hash", "error"]).to_pylist()
        digest = hashlib.sha256(json.dumps([contents, code_hash(), own_weights(self.home)]).encode()).hexdigest()[:16]
        _forget_others(self.root / "work" / "weeks", digest)
        _forget_others(self.root / "scores", digest)
        return Inputs(files, "events" in report.landed_datasets, digest)

    @property
    def scores(self) -> Path:
        """Where scores of listeners are kept, by what they were made from."""
        return self.root / "scores" / self.inputs.hash

    def features(self, monday: dt.date, configuration: Configuration) -> Lake:
        """A lake that holds the feature tables (TABLES) of a Monday under a configuration; made where it isn't there.

        evaluation_truth is about the window before that Monday.
        """
        settings = configuration.dbt_vars()
        base = {name: value for name, value in settings.items() if name not in REWEIGHTING}
        folder = self.root / "work" / "weeks" / self.inputs.hash / _short_hash(base) / monday.isoformat()
        kept = Lake(folder / "kept" / _short_hash(settings))
        if not kept.has_week(f"features/{TABLES[-1]}", monday):
            self._build(Home(folder), monday, settings)
            for table in TABLES:
                kept.adopt(f"features/{table}", monday, Home(folder).scratch / f"{table}.parquet")
        return kept

    def _build(self, work: Home, monday: dt.date, settings: dict[str, Any]) -> None:
        """One dbt call: everything the first time, afterwards only what weighs."""
        is_whole = work.root / "is_whole"
        models = REWEIGHTED_MODELS if is_whole.exists() else tuple(f"+{table}" for table in TABLES)
        self.say(f"features as of {monday}: dbt builds {'what weighs' if is_whole.exists() else 'all'}")
        if not is_whole.exists():
            prepare_apart(work, self.intake, monday, self.inputs.files)
        put_weights(work, own_weights(self.home))
        build_apart(work, monday, settings, models)
        is_whole.touch()


def _without_forgotten(home: Home, say: Callable[[str], None]) -> None:
    """Take those who were forgotten out of landing before it is read; without any, landing is left alone."""
    if Forgotten(home).hashes("listener"):
        with hold_run_lock(home.root, say):
            forget_landed(home, dt.datetime.now(dt.UTC).replace(tzinfo=None), say)


def read_tables(lake: Lake, monday: dt.date) -> dict[str, pa.Table]:
    """The tables that read_features takes."""
    return {name: lake.read_week(f"features/{name}", monday) for name in FEATURES_READ}


def tables_hash(tables: dict[str, pa.Table]) -> str:
    """Equal where the tables that a weighting can change are: then everything after it is the same too."""
    return "".join(content_hash(tables[name])[:16] for name in REWEIGHTED_MODELS if name in tables)


def link_intake(source: Path, target: Path) -> None:
    """Give target what source has taken in, so that nothing is read anew and first-seen moments stay."""
    for file in source.glob("*/*.parquet"):
        beside = target / file.relative_to(source)
        if not beside.exists() and not file.name.startswith("."):
            beside.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(file, beside)
            except OSError:  # a file system without hard links
                shutil.copyfile(file, beside)
    if (source / CACHE_NAME).exists() and not (target / CACHE_NAME).exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / CACHE_NAME, target / CACHE_NAME)


def _forget_others(folder: Path, name: str) -> None:
    """Delete what was made from other inputs."""
    for other in folder.glob("*"):
        if other.name != name:
            shutil.rmtree(other, ignore_errors=True)


def _short_hash(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
