"""Resources: what a run is given. The home with its lock and settings, and the dbt command.

Belongs here: resources and how they are set up. Does not: assets, or connections held open between steps.
"""

import ctypes
import datetime as dt
import gc
import json
import os
import resource
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
from dagster_dbt import DbtCliResource
from packaging import version
from pydantic import Field, PrivateAttr

from dagster_project.configuration import Configuration, configuration_of, load_configuration
from dagster_project.dbt_manifest import DBT
from dagster_project.dead_runs import process_tags
from dagster_project.home import WAREHOUSE_PROJECT, Home, dbt_threads, duckdb_memory, require_begun
from dagster_project.interrupted import end_dbt_calls
from dagster_project.lake import NO_WEEK, Lake
from dagster_project.manifest import parent_week, read_manifest
from dagster_project.progress import LOG
from dagster_project.recipe import Recipe, put_table, recipe_of
from dagster_project.run_lock import hold_run_lock
from dagster_project.table_schemas import RUNGS_TABLE, ensure_stand_ins, vector_sizes
from models_ml.comparison.gate import GateParams
from models_ml.errors import InputError
from models_ml.landing.intake import ensure_empty_intake

WORTH_RELEASING_KIB = 1024**2  # what a run of a few listeners takes is half of it


@dataclass(frozen=True)
class RunSettings:
    """What a run goes by.  gate: of the home alone, without what was laid over for the run."""

    recipe: Recipe
    gate: GateParams


class Workspace(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The home of a run: its paths, its lake, its settings, and the lock it holds meanwhile.

    Settings are read once a run, under the lock: who edits a file while it runs changes the next run, and the manifest
    says what made the week. Outside a run they are read whenever they are asked for.
    """

    home: str = Field(default="", description="Folder to work in. Empty: MONDAY_MIX_HOME, else var/ here.")
    overlay: str = Field(default="", description="A TOML file laid over the configuration for this run.")

    _started_at: dt.datetime = PrivateAttr(default_factory=lambda: dt.datetime.now(dt.UTC).replace(tzinfo=None))
    _settings: RunSettings | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator["Workspace", None, None]:
        """Say which process works, take the lock, make the home ready, read the settings of the whole run."""
        if context.instance is not None and context.run is not None:
            context.instance.add_run_tags(context.run.run_id, process_tags(self.paths.dagster))
        with hold_run_lock(self.paths.root, LOG.info):
            prepare_home(self.paths)
            self._settings = self._read_settings()
            put_table(self.paths.run_event_weights, self.recipe.own_weights)
            try:
                yield self
            finally:
                end_dbt_calls()
                self._settings = None

    @property
    def paths(self) -> Home:
        """Where everything lies."""
        return Home.resolve(self.home or None)

    @property
    def lake(self) -> Lake:
        """The tables."""
        return Lake(self.paths.lake)

    @property
    def configuration(self) -> Configuration:
        """Defaults, the home's config.toml, the overlay."""
        return self.recipe.configuration

    @property
    def recipe(self) -> Recipe:
        """The configuration with the weights of feedback."""
        return (self._settings or self._read_settings()).recipe

    @property
    def dbt_weights(self) -> str:
        """Where dbt finds the run's table of weights; empty is the checked-in one."""
        return str(self.paths.run_event_weights) if self.recipe.own_weights is not None else ""

    @property
    def gate(self) -> GateParams:
        """Thresholds of `<home>/config.toml`: what is laid over the settings for one run can't loosen them."""
        return (self._settings or self._read_settings()).gate

    def _read_settings(self) -> RunSettings:
        if self.overlay and not Path(self.overlay).exists():
            raise InputError(f"{self.overlay}: no such file to lay over the configuration")
        of_home, overlays = self.paths.config_file, [Path(self.overlay)] if self.overlay else []
        recipe = recipe_of(load_configuration([of_home, *overlays]), self.paths.event_weights)
        gate = load_configuration([of_home]).gate if overlays else recipe.configuration.gate
        return RunSettings(recipe, gate)

    @property
    def started_at(self) -> dt.datetime:
        """When the run began, naive UTC: one moment for everything it stamps."""
        return self._started_at


def must_have_begun(workspace: Workspace, week: dt.date) -> None:
    """End the step, with no second try, where the Monday has yet to begin.

    Not in landing: files may be read ahead of their Monday, and nothing else is made before.
    """
    try:
        require_begun(week, workspace.started_at)
    except InputError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def week_configuration(home: Home, week: dt.date) -> Configuration:
    """What a committed week was made with; else what holds in the home."""
    manifest = read_manifest(home, week)
    if manifest is None:
        return load_configuration([home.config_file])
    return configuration_of(manifest["config"], str(home.manifest(week)))


def prepare_home(home: Home) -> None:
    """Folders, and the empty tables that let dbt find columns where nothing has landed yet."""
    home.prepare()
    ensure_empty_intake(home.intake)
    ensure_stand_ins(Lake(home.lake))


class Dbt(DbtCliResource):
    """dbt on the warehouse project, for one home.

    The version comes from the installed package: asking the command for it starts another process at
    each call, two seconds every time. No adapter is kept in this process: only dbt opens its file.
    """

    @cached_property
    def _cli_version(self) -> version.Version:
        return version.parse(metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Any) -> None:
        """None: nothing here queries the warehouse beside dbt."""


def warehouse_dbt() -> Dbt:
    """Dbt on the warehouse project: the command beside this Python, whatever the PATH says."""
    return Dbt(project_dir=str(WAREHOUSE_PROJECT), profiles_dir=str(WAREHOUSE_PROJECT), dbt_executable=str(DBT))


@contextmanager
def dbt_environment(
    home: Home, week: dt.date, tag: str = "features", weights: str | None = None
) -> Generator[None, None, None]:
    """What profiles.yml and the macros read from the environment, for the length of one call for models of a tag.

    weights: where a run has its table of weights, empty for the checked-in one; outside a run that of the home.
    """
    if weights is None:
        weights = str(home.event_weights) if home.event_weights.exists() else ""
    settings = {
        "MONDAY_MIX_HOME": str(home.root),
        "MONDAY_MIX_WEEK": week.isoformat(),
        "MONDAY_MIX_DUCKDB_MEMORY": duckdb_memory(tag),
        "MONDAY_MIX_DBT_THREADS": dbt_threads(home),
        "MONDAY_MIX_EVENT_WEIGHTS": weights,
        "MONDAY_MIX_PARENT_WEEK": _week_of_earlier_rungs(home, week).isoformat(),
        # Contracts hold these; until the vectors are made, the defaults in the YAML stand.
        **{f"MONDAY_MIX_{name.upper()}_SIZE": str(size) for name, size in vector_sizes(Lake(home.lake), week).items()},
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def _week_of_earlier_rungs(home: Home, week: dt.date) -> dt.date:
    """The week before, where it tells on which rung recordings stood; else the stand-in's, which has no rows."""
    parent, lake = parent_week(home, week), Lake(home.lake)
    if parent is None or not lake.has_week(RUNGS_TABLE, parent):
        return NO_WEEK
    return parent if "rung" in pq.read_schema(lake.path(RUNGS_TABLE, parent)).names else NO_WEEK


def dbt_build_arguments(configuration: Configuration, tag: str) -> list[str]:
    """Arguments of one of the week's two dbt calls.

    The week is in the environment, where the project's YAML finds it. Unit tests hold formulas, not data: they belong
    to `make test`. Its log of every statement, 5 MB, and its manifest, which nobody reads, would cost a fifth of the
    call; what it prints is kept.
    """
    arguments = [
        "build",
        "--vars",
        json.dumps(configuration.dbt_vars(), sort_keys=True),
        "--exclude-resource-type",
        "unit_test",
        "--log-level-file",
        "none",
        "--no-write-json",
    ]
    # Tests that compare marts with features belong to the second call, where both are there. The other way round
    # nothing is excluded: dbt would leave out every test that touches a feature.
    return [*arguments, "--exclude", "tag:marts"] if tag == "features" else arguments


def release_memory() -> None:
    """Give back what earlier steps freed: two gigabytes at 100,000 listeners, and dbt takes its own beside them.

    Looking for it takes a quarter of a second, twice a week, so nothing is looked for where there was never much.
    """
    most_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # on a Mac bytes: there it always looks
    if most_kib < WORTH_RELEASING_KIB:
        return
    gc.collect()
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library alone
    if trim is not None:
        trim(0)


def clear_scratch(home: Home) -> None:
    """Forget what an earlier dbt call wrote for Python: each call starts with nothing there."""
    shutil.rmtree(home.scratch, ignore_errors=True)
    home.scratch.mkdir(parents=True, exist_ok=True)
