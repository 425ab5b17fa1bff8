"""Sensors: what should be done because something happened.

Belongs here: noticing that files have landed, that a run's process died. Does not: reading files (assets/landing.py),
telling a dead process (dead_runs.py), or running a Monday before it has come (jobs.py): a file that lands on Wednesday
changes the coming Monday's lists, and only when they are made.
"""

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from pydantic import Field

from dagster_project import keys
from dagster_project.dead_runs import report_dead_runs
from dagster_project.home import Home
from dagster_project.jobs import intake
from models_ml.landing.scan import LandingFile, scan_landing

MINIMUM_INTERVAL_SECONDS = 60


class LandingWatch(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where files land. Not the workspace: that takes the run's lock, and a look must not wait for a run."""

    home: str = Field(default="", description="Folder to look in. Empty: MONDAY_MIX_HOME, else var/ here.")
    settle_seconds: float = Field(default=60.0, description="A file that changed within so long may still be growing.")


@dataclass(frozen=True)
class LandingState:
    """What lies in landing at one moment.

    digest: changes with any file's path, size or time.  unsettled: files that changed a moment ago.
    unreadable: files whose place or name says that no run can read them.
    """

    files: int
    unreadable: int
    unsettled: int
    digest: str

    @property
    def cursor(self) -> str:
        """What is remembered from tick to tick."""
        return f"{self.files} files, {self.digest}"


def look_at_landing(landing: Path, settle_seconds: float, now: float) -> LandingState:
    """Paths, sizes and times of everything in landing; no file is opened."""
    files = scan_landing(landing)
    digest, unsettled = hashlib.sha256(), 0
    for file in files:
        status = _status(file)
        if status is None:
            continue
        digest.update(f"{file.path}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        # A copy can bring its old time along, or one from a clock ahead of ours; the change of the inode is ours.
        changes = [moment for moment in (status.st_mtime, status.st_ctime) if moment <= now]
        unsettled += bool(changes and now - max(changes) < settle_seconds)
    unreadable = sum(file.error is not None for file in files)
    return LandingState(len(files), unreadable, unsettled, digest.hexdigest()[:32])


def _status(file: LandingFile) -> os.stat_result | None:
    """The file's status, None where it went away meanwhile; the next look finds the same."""
    try:
        return file.location.stat()
    except OSError:
        return None


@dg.sensor(
    job=intake,
    minimum_interval_seconds=MINIMUM_INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Reads new landing files for the coming Monday, once they have settled; publishes nothing.",
)
def new_landing_files(
    context: dg.SensorEvaluationContext, landing_watch: LandingWatch
) -> dg.SensorResult | dg.SkipReason:
    """Request the job `intake` for the coming Monday when landing has changed and is quiet again."""
    landing = Home.resolve(landing_watch.home or None).landing
    state = look_at_landing(landing, landing_watch.settle_seconds, time.time())
    if state.files == 0:
        return dg.SkipReason(f"no file lies in {landing}")
    if state.cursor == context.cursor:
        return dg.SkipReason(f"nothing has changed among the {state.files} files in {landing}")
    if state.unsettled:
        return dg.SkipReason(
            f"{state.unsettled} of {state.files} files in {landing} changed less than "
            f"{landing_watch.settle_seconds:g} s ago; waiting until they are whole"
        )
    week = keys.WEEKLY.get_last_partition_key()
    request = dg.RunRequest(
        run_key=f"{week}: {state.cursor}",
        partition_key=week,
        tags={"monday_mix/files": str(state.files), "monday_mix/unreadable_files": str(state.unreadable)},
    )
    return dg.SensorResult(run_requests=[request], cursor=state.cursor)


@dg.sensor(
    minimum_interval_seconds=MINIMUM_INTERVAL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends, in the history, runs whose process was killed, so that what is queued behind them begins.",
)
def runs_that_died(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Report runs whose process is gone as failed; starts nothing."""
    ended = report_dead_runs(context.instance)
    return dg.SkipReason(f"told as failed: {', '.join(ended)}" if ended else "no run's process has died")
