"""Experiments between files, lake and models_ml: what is declared, and the settings that hold for whom in a week.

Belongs here: where declarations lie, landing them with the week, listeners of one configuration together.
Does not: what a declaration has to be (models_ml/experiments), assignment (the warehouse).
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from dagster_project.configuration import Configuration, varied
from dagster_project.home import WAREHOUSE_PROJECT, Home
from dagster_project.lake import Lake
from models_ml.arrays import Ints
from models_ml.errors import InputError
from models_ml.experiments.declarations import (
    Declarations,
    as_csv,
    declarations_of,
    declared_rows,
    read_declarations,
)
from models_ml.experiments.groups import Groups, groups_of
from models_ml.experiments.settings_text import Settings
from models_ml.landing.storage import replace_file

EXPERIMENTS, VARIANTS = "inputs/experiments", "inputs/experiment_variants"
ASSIGNED = "features/assigned_variants"
FILES = ("experiments.csv", "experiment_variants.csv")
SEEDS = WAREHOUSE_PROJECT / "seeds"


def land_declarations(home: Home, week: dt.date, configuration: Configuration) -> None:
    """What is declared now becomes what is declared for the week; InputError says what can't be."""
    declared = declarations(home, configuration)
    lake = Lake(home.lake)
    lake.replace_week(EXPERIMENTS, week, declared.experiments)
    lake.replace_week(VARIANTS, week, declared.variants)


def declarations(home: Home, configuration: Configuration) -> Declarations:
    """The home's own two files where it has them, else the seeds of the warehouse."""
    present = [(home.root / name).exists() for name in FILES]
    if any(present) and not all(present):
        missing = FILES[present.index(False)]
        raise InputError(f"{home.root / missing}: not there, and {FILES[present.index(True)]} is; both belong together")
    folder = home.root if all(present) else SEEDS
    experiments, variants = ((str(folder / name), _text(folder / name)) for name in FILES)

    def check(changed: Settings, where: str) -> None:
        varied(configuration, changed, where)

    return read_declarations(experiments, variants, check)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read: {error}") from error


def recorded_declarations(lake: Lake, week: dt.date) -> dict[str, list[dict[str, Any]]]:
    """What was declared for a week, as its manifest keeps it."""
    return declared_rows(Declarations(lake.read_week(EXPERIMENTS, week), lake.read_week(VARIANTS, week)))


def write_declarations(home: Home, recorded: dict[str, list[dict[str, Any]]]) -> None:
    """The home's own files from what a manifest keeps; a week of before there were experiments declares none."""
    declared = declarations_of(recorded)
    for name, table in zip(FILES, (declared.experiments, declared.variants), strict=True):
        replace_file(home.root / name, as_csv(table).encode())


@dataclass(frozen=True)
class WeekGroups:
    """Listeners of a week by what their lists are made with.

    settings, policy: of each group, the first everyone's who is in no experiment; policy is whose feedback the arms of
    exploration and the ranker have learnt from.  of: (n,) group of each listener.
    """

    settings: tuple[Configuration, ...]
    policy: tuple[str, ...]
    of: Ints

    @property
    def policies(self) -> tuple[str, ...]:
        """Each policy once, that of everyone first."""
        return tuple(dict.fromkeys(self.policy))


def week_groups(lake: Lake, week: dt.date, configuration: Configuration, listener_count: int) -> WeekGroups:
    """Who is in which variant of the experiments that run in the week, as groups of one configuration each."""
    found = _groups(lake, week, listener_count)
    settings = tuple(varied(configuration, group.changed, f"variants {group.name}") for group in found.groups)
    return WeekGroups(settings, tuple(group.policy for group in found.groups), found.of)


def week_policies(lake: Lake, week: dt.date, listener_count: int) -> pa.Array:
    """(n,) strings, whose feedback the arms of each listener's list have learnt from, by whatever configuration."""
    found = _groups(lake, week, listener_count)
    return pa.array([group.policy for group in found.groups], pa.string()).take(pa.array(found.of))


def _groups(lake: Lake, week: dt.date, listener_count: int) -> Groups:
    rows = lake.read_week(ASSIGNED, week, ["user_index", "experiment_id", "variant_id", "is_running"])
    experiments, variants = (lake.read_week(table, week) for table in (EXPERIMENTS, VARIANTS))
    return groups_of(rows.filter(rows["is_running"]), experiments, variants, listener_count)
