"""The definitions Dagster loads.

Belongs here: putting assets, checks, jobs, schedules and resources together. Does not: any of them.
"""

import dagster as dg

from dagster_project import checks
from dagster_project.assets import landing, playlists, published, vectors, warehouse
from dagster_project.jobs import every_monday, monday
from dagster_project.resources import Workspace, warehouse_dbt


def build_defs(home: str = "", overlay: str = "") -> dg.Definitions:
    """Everything, for one home; empty is the environment's or the default."""
    return dg.Definitions(
        assets=dg.load_assets_from_modules([landing, warehouse, vectors, playlists, published]),
        asset_checks=dg.load_asset_checks_from_modules([checks]),
        jobs=[monday],
        schedules=[every_monday],
        resources={"workspace": Workspace(home=home, overlay=overlay), "dbt": warehouse_dbt()},
        executor=dg.in_process_executor,
    )


defs = build_defs()
