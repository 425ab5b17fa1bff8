"""One Monday of the demo world, from landing files to published, by stage.

Run: .venv/bin/python -m tests.benchmarks.one_monday --listeners 20000
Belongs here: timing the job as users run it. Does not: timing single functions.
"""

import argparse
import datetime as dt
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

from dagster_project.cli import this_monday
from dagster_project.cli_run import run_history, run_week
from dagster_project.home import Home
from models_ml.demo_world import WorldParams, WorldSize, write_world


def main() -> None:
    """Write a world, run its last Monday, then the Monday after, and print seconds by stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=20_000)
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="one_monday_"))
    home, week = Home(folder.resolve()), this_monday()
    home.prepare()
    size = WorldSize(listeners=options.listeners, weeks=1, last_week=week)
    started = time.monotonic()
    report = write_world(home.landing, home.root / "truth", size, WorldParams(), 7)
    print(
        f"{os.cpu_count()} cores; {options.listeners:,} listeners, {size.track_count:,} tracks, "
        f"{report.rows['events']:,} events; world written in {time.monotonic() - started:.0f} s"
    )
    for number in range(2):
        _one_week(home, week + dt.timedelta(weeks=number), options.listeners)
    if not options.keep:
        shutil.rmtree(folder)


def _one_week(home: Home, week: dt.date, listeners: int) -> None:
    started = time.monotonic()
    assert run_week(home, week), "the run failed"
    seconds = time.monotonic() - started
    stages = "  ".join(f"{name} {taken:.1f}" for name, taken in run_history(home, week).items())
    own, children = (
        resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        f"Monday {week}: {seconds:.1f} s, {listeners / seconds:,.0f} listeners a second; peak memory {own:.1f} GiB "
        f"here, {children:.1f} GiB in dbt\n  {stages}"
    )


if __name__ == "__main__":
    main()
