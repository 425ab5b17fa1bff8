"""The record of comparisons: lake table `comparisons/made`, one week a Monday that was compared on.

Belongs here: writing it, asking it. Does not: comparing (comparing.py), what a week publishes of it (assets/gate.py).
"""

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.home import Home
from dagster_project.lake import NO_WEEK, Lake
from dagster_project.progress import LOG
from dagster_project.run_lock import hold_run_lock
from dagster_project.table_schemas import COMPARISONS_SCHEMA
from models_ml.comparison.gate import PASSED

RECORDS = "comparisons/made"


def put_on_record(home: Home, week: dt.date, rows: pa.Table) -> None:
    """One comparison's rows (COMPARISONS_SCHEMA), in place of what an earlier one of these two said on that week."""
    recipes = (rows["recipe_hash"][0].as_py(), rows["baseline_recipe_hash"][0].as_py())
    lake = Lake(home.lake)
    with hold_run_lock(home.root, LOG.info):
        if lake.has_week(RECORDS, week):
            others = lake.read_week(RECORDS, week)
            rows = pa.concat_tables([others.filter(pc.invert(_of_these(others, *recipes))), rows])
        lake.replace_week(RECORDS, week, rows, COMPARISONS_SCHEMA)


def has_passed(home: Home, recipe_hash: str, baseline_recipe_hash: str) -> bool:
    """Whether a comparison of these two is on record and passed."""
    for rows in recorded_comparisons(home).values():
        of_these = _of_these(rows, recipe_hash, baseline_recipe_hash)
        if pc.any(pc.and_(of_these, pc.equal(rows["verdict"], PASSED))).as_py():
            return True
    return False


def recorded_comparisons(home: Home) -> dict[dt.date, pa.Table]:
    """All comparisons on record by the week they were made on, oldest first."""
    lake = Lake(home.lake)
    folders = sorted((home.lake / RECORDS).glob("week=*"))
    weeks = [dt.date.fromisoformat(folder.name.removeprefix("week=")) for folder in folders]
    return {week: lake.read_week(RECORDS, week) for week in weeks if week > NO_WEEK and lake.has_week(RECORDS, week)}


def _of_these(rows: pa.Table, recipe_hash: str, baseline_recipe_hash: str) -> pa.ChunkedArray:
    return pc.and_(
        pc.equal(rows["recipe_hash"], recipe_hash), pc.equal(rows["baseline_recipe_hash"], baseline_recipe_hash)
    )
