"""Feature tables of a Monday in a home of their own, which reads what another home has taken in.

Belongs here: what dbt finds there, its call. Does not: which Mondays, or what becomes of the tables (tuning_home.py,
rehearsal.py).
"""

import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from dagster_project.dbt_manifest import DBT
from dagster_project.home import WAREHOUSE_PROJECT, Home
from dagster_project.inputs import WEEK_FILES_TABLE
from dagster_project.lake import Lake
from dagster_project.resources import prepare_home
from dagster_project.table_schemas import COMMITTED_WEEKS
from models_ml.errors import MondayMixError

# Of listeners and of owners of playlists, those that dbt looks at: their share of a million (macros/rehearsal.sql).
LISTENER_SHARE: Final = "MONDAY_MIX_LISTENER_SHARE"
MILLION: Final = 1_000_000
_LAST_WORDS = 2000  # characters of dbt's output that an error repeats


def prepare_apart(work: Home, intake: Path, monday: dt.date, files: pa.Table) -> None:
    """An empty home, whatever was there, for a Monday that reads these files of an intake and no week before it."""
    shutil.rmtree(work.root, ignore_errors=True)
    work.lake.mkdir(parents=True)
    work.intake.symlink_to(intake)
    prepare_home(work)
    lake = Lake(work.lake)
    lake.replace_week("inputs/committed_weeks", monday, COMMITTED_WEEKS.empty_table())
    lake.replace_week(WEEK_FILES_TABLE, monday, files)


def build_apart(
    work: Home, monday: dt.date, settings: dict[str, Any], models: Sequence[str], listener_share: int = MILLION
) -> None:
    """Build models without their tests, which belong to the weeks that are published.

    listener_share: of a million listeners, those that are looked at.  Raises MondayMixError with dbt's last words.
    """
    command = [str(DBT), "--quiet", "build", "--vars", json.dumps(settings, sort_keys=True), "--select", *models]
    command += ["--exclude-resource-type", "test", "unit_test", "--log-level-file", "none", "--no-write-json"]
    environment = {
        **os.environ,
        "MONDAY_MIX_HOME": str(work.root),
        "MONDAY_MIX_WEEK": monday.isoformat(),
        "MONDAY_MIX_EVENT_WEIGHTS": str(work.event_weights) if work.event_weights.exists() else "",
        LISTENER_SHARE: "" if listener_share >= MILLION else str(listener_share),
        "DBT_PROFILES_DIR": str(WAREHOUSE_PROJECT),
        "DBT_TARGET_PATH": str(work.dbt_target),
        "DBT_LOG_PATH": str(work.dbt_target),
    }
    done = subprocess.run(command, cwd=WAREHOUSE_PROJECT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MondayMixError(f"{work.root}: dbt failed:\n{(done.stdout + done.stderr).strip()[-_LAST_WORDS:]}")
