"""The definitions Dagster loads.

Belongs here: putting assets, checks, jobs, schedules, sensors and resources together. Does not: any of them.
"""

import dagster as dg

from dagster_project import checks, checks_gate
from dagster_project.assets import (
    evaluation,
    gate,
    landing,
    monitoring,
    off_policy,
    playlists,
    published,
    ranker,
    vectors,
    warehouse,
)
from dagster_project.jobs import every_monday, intake, monday, shadow_monday
from dagster_project.resources import Workspace, warehouse_dbt
from dagster_project.sensors import LandingWatch, new_landing_files, runs_that_died


def build_defs(home: str = "", overlay: str = "") -> dg.Definitions:
    """Everything, for one home; empty is the environment's or the default."""
    return dg.Definitions(
        assets=dg.load_assets_from_modules(
            [landing, warehouse, vectors, ranker, playlists, evaluation, off_policy, monitoring, gate, published]
        ),
        asset_checks=dg.load_asset_checks_from_modules([checks, checks_gate]),
        jobs=[monday, shadow_monday, intake],
        schedules=[every_monday],
        sensors=[new_landing_files, runs_that_died],
        resources={
            "workspace": Workspace(home=home, overlay=overlay),
            "dbt": warehouse_dbt(),
            "landing_watch": LandingWatch(home=home),
        },
        executor=dg.in_process_executor,
    )


defs = build_defs()
