"""Shadow weeks: one Monday made again by another recipe, in a home of its own below `<home>/compare/`.

Belongs here: what such a home is given, when it is done. Does not: which weeks, what is made of them (comparing.py).

A shadow has what its week had: the same files by content, the state of the weeks before it by hard links, the
experiments that were declared, the takedowns done since. Nothing of the home is written. A shadow that was killed is
made again; it may be deleted at any time.
"""

import datetime as dt
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.cli_run import run_shadow
from dagster_project.experiments_io import write_declarations
from dagster_project.held_up import is_held_up
from dagster_project.home import Home
from dagster_project.lake import NO_WEEK, Lake, link
from dagster_project.manifest import code_hash, package_versions, parent_week, read_manifest
from dagster_project.progress import LOG
from dagster_project.recipe import Recipe, recipe_of_manifest
from dagster_project.run_lock import hold_run_lock
from dagster_project.sound_io import store_folder
from dagster_project.tuning_home import link_intake
from models_ml.errors import InputError, MondayMixError

_DONE, _LINKED = "shadow_is_made", "shadow_is_linked"


@dataclass(frozen=True)
class MadeWeek:
    """A week's tables by one recipe.  home: the home itself, or the shadow's."""

    home: Home
    week: dt.date

    @property
    def lake(self) -> Lake:
        """Its tables."""
        return Lake(self.home.lake)


def made_by(home: Home, week: dt.date, recipe: Recipe) -> MadeWeek:
    """The week by a recipe: as the home has it where this code made it so, else its shadow, made where it isn't there.

    Raises InputError where the week was never completed, or its shadow can't be made.
    """
    manifest = read_manifest(home, week)
    if manifest is None:
        raise InputError(f"week {week}: never completed in {home.root}; compare on one that was")
    made = recipe_of_manifest(manifest, home.comparisons / "weights")
    if made.hash == recipe.hash and _stands(home, week, manifest):
        return MadeWeek(home, week)
    shadow = Home(home.comparisons / _name(home, week, recipe, manifest["hash"]))
    if not (shadow.root / _DONE).exists():
        _make(home, shadow, week, recipe)
    return MadeWeek(shadow, week)


def _stands(home: Home, week: dt.date, manifest: dict[str, Any]) -> bool:
    """Whether this code made the week, and its lists are still those: a run that was held up leaves others behind."""
    if manifest["code_hash"] != code_hash() or manifest["packages"] != package_versions():
        return False
    return not is_held_up(home, week)


def _name(home: Home, week: dt.date, recipe: Recipe, manifest_hash: str) -> str:
    """Another one for whatever would make another week of it."""
    parent = parent_week(home, week)
    before = (read_manifest(home, parent) or {}).get("hash") if parent else None
    said = json.dumps([week.isoformat(), recipe.hash, manifest_hash, before, code_hash()])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _make(home: Home, shadow: Home, week: dt.date, recipe: Recipe) -> None:
    LOG.info(f"{week} in {shadow.root}")
    if not (shadow.root / _LINKED).exists():
        with hold_run_lock(home.root, LOG.info):
            _link(home, shadow, week)
    recipe.put(shadow)
    write_declarations(shadow, (read_manifest(home, week) or {}).get("experiments", {}))
    if not run_shadow(shadow, week):
        raise MondayMixError(f"week {week}: its shadow in {shadow.root} failed; the reason is above")
    (shadow.root / _DONE).touch()


def _link(home: Home, shadow: Home, week: dt.date) -> None:
    shutil.rmtree(shadow.root, ignore_errors=True)
    shadow.prepare()
    link_intake(home.intake, shadow.intake)
    manifest = read_manifest(home, week) or {"inputs": []}
    for row in manifest["inputs"]:
        _link_file(home.landing / row["path"], shadow.landing / row["path"])
    for file in store_folder(home).rglob("*"):
        _link_file(file, shadow.root / file.relative_to(home.root))
    for file in home.lake.glob("*/*/week=*/*"):
        other = dt.date.fromisoformat(file.parent.name.removeprefix("week="))
        if NO_WEEK < other < week and not file.name.startswith("."):
            _link_file(file, shadow.root / file.relative_to(home.root))
    for folder in (home.root / "models").glob("*-*-*"):
        if dt.date.fromisoformat(folder.name) < week:
            for file in folder.iterdir():
                _link_file(file, shadow.root / file.relative_to(home.root))
    # With it the week reads the files it read, and takes out again what was taken down since.
    _link_file(home.manifest(week), shadow.manifest(week))
    (shadow.root / _LINKED).touch()


def _link_file(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        link(source, target)
