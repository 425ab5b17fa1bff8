"""The job of a Monday and its schedule.

Belongs here: what runs together, and when. Does not: what the assets do.
"""

import dagster as dg

monday = dg.define_asset_job(
    "monday",
    selection=dg.AssetSelection.all(),
    # Steps of a week wait for each other anyway; a process for each costs four seconds and buys nothing.
    executor_def=dg.in_process_executor,
    description="One Monday, from landing files to the published tables.",
)


@dg.schedule(job=monday, cron_schedule="5 0 * * 1", execution_timezone="UTC")
def every_monday(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Mondays at 00:05 UTC, for that Monday."""
    week = context.scheduled_execution_time.date().isoformat()
    return dg.RunRequest(run_key=week, partition_key=week)
