"""The job of a Monday and its schedule, the same without publication, and the job that only reads what has landed.

Belongs here: what runs together, and when. Does not: what the assets do.
"""

import dagster as dg

from dagster_project import keys

monday = dg.define_asset_job(
    "monday",
    selection=dg.AssetSelection.all(),
    # Steps of a week wait for each other anyway; a process for each costs four seconds and buys nothing.
    executor_def=dg.in_process_executor,
    description="One Monday, from landing files to the published tables.",
)

# What is made to be compared is published nowhere, and the gate is what it is made for.
shadow_monday = dg.define_asset_job(
    "shadow_monday",
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.assets(keys.PLAYLISTS_PUBLISHED, keys.GOLDEN_LISTENERS)
    - dg.AssetSelection.checks(*keys.GATE_CHECKS),
    executor_def=dg.in_process_executor,
    description="One Monday up to its playlist tables, in a home of its own; `monday-mix compare` runs it.",
)

intake = dg.define_asset_job(
    "intake",
    selection=dg.AssetSelection.assets(keys.LANDING_FILES),
    executor_def=dg.in_process_executor,
    description="Reads what has landed, so that Monday finds it read and a broken file is known today.",
)


@dg.schedule(job=monday, cron_schedule="5 0 * * 1", execution_timezone="UTC")
def every_monday(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Mondays at 00:05 UTC, for that Monday."""
    week = context.scheduled_execution_time.date().isoformat()
    return dg.RunRequest(run_key=week, partition_key=week)
