"""The list of files a week reads, fixed at its first completed run.

Belongs here: choosing between the fixed list and what has landed since. Does not: reading the files
(models_ml/landing) or what the rows mean (warehouse/).
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from dagster_project.forgetting import forget_landed
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks, read_manifest
from dagster_project.progress import LOG
from dagster_project.table_schemas import COMMITTED_WEEKS
from models_ml.errors import InputError
from models_ml.landing.contract import require_datasets
from models_ml.landing.intake import intake_path, take_in
from models_ml.landing.report import REPORT_SCHEMA

WEEK_FILES_TABLE = "inputs/week_files"
# When an event of the intake happened, in SQL, where an hour more or less, as an offset may bring, decides nothing.
ROUGH_MOMENT = "coalesce(try_cast(occurred_at as timestamp), try_cast(left(occurred_at, 19) as timestamp))"


def fix_week_files(
    home: Home, week: dt.date, now: dt.datetime, refresh: bool, progress: Callable[[str], None]
) -> pa.Table:
    """The files of the week: those of its manifest, or, where it has none yet, what lies in landing.

    Landing is read either way, so that intake knows every file from the day it came; those who are to be forgotten,
    or were, are taken out of it first.
    """
    gone = forget_landed(home, now, progress)
    if gone:
        LOG.info(f"forgetting: {gone} rows of landing files went")
    landed = take_in(home.landing, home.intake, now, progress).to_arrow()
    manifest = None if refresh else read_manifest(home, week)
    files = _files_of(manifest) if manifest else landed
    if manifest:
        _require_intake(home, week, files)
    landed_datasets = {row["dataset"] for row in files.to_pylist() if row["error"] is None and row["row_count"]}
    require_datasets(landed_datasets, home.landing)
    earlier = [{"committed_week": other} for other in committed_weeks(home) if other < week]
    lake = Lake(home.lake)
    lake.replace_week("inputs/committed_weeks", week, pa.Table.from_pylist(earlier, schema=COMMITTED_WEEKS))
    lake.replace_week(WEEK_FILES_TABLE, week, files, REPORT_SCHEMA)
    return files


def manifest_inputs(files: pa.Table) -> list[dict[str, Any]]:
    """The list as the manifest keeps it: plain values, in order of dataset and path."""
    rows = files.sort_by([("dataset", "ascending"), ("path", "ascending")]).to_pylist()
    return [
        {**row, "first_seen_at": row["first_seen_at"].isoformat() if row["first_seen_at"] else None} for row in rows
    ]


def _files_of(manifest: dict[str, Any]) -> pa.Table:
    rows = [
        {**row, "first_seen_at": dt.datetime.fromisoformat(row["first_seen_at"]) if row["first_seen_at"] else None}
        for row in manifest["inputs"]
    ]
    return pa.Table.from_pylist(rows, schema=REPORT_SCHEMA)


def _require_intake(home: Home, week: dt.date, files: pa.Table) -> None:
    for row in files.to_pylist():
        is_read = row["error"] is None and row["duplicate_of"] is None
        if is_read and not intake_path(home.intake, row["dataset"], row["content_hash"]).exists():
            raise InputError(
                f"landing/{row['path']}: week {week} was made with this file (content {row['content_hash']}) "
                f"and it is neither in landing nor in the lake; bring it back, or run with --refresh-inputs"
            )
