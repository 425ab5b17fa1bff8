"""Running the Monday job from the command line.

Belongs here: executing the job in this process and saying how it went. Does not: commands (cli.py).
"""

import contextlib
import datetime as dt
import fcntl
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.instance import InstanceRef  # no public way to an instance with settings of one's own

from dagster_project import keys
from dagster_project.dead_runs import process_tags, report_dead_runs
from dagster_project.definitions import build_defs
from dagster_project.home import REPOSITORY, Home, require_begun
from dagster_project.interrupted import INTERRUPTS, sigterm_as_it_was
from dagster_project.progress import LOG
from dagster_project.run_history import RunHistory
from models_ml.errors import InputError

# A resource that can't be had fails its run, whose own failure says only that it did.
_ENDS = (dg.DagsterEventType.RUN_CANCELED, dg.DagsterEventType.RESOURCE_INIT_FAILURE)


def run_week(home: Home, week: dt.date, overlay: Path | None = None, refresh_inputs: bool = False) -> bool:
    """Run one Monday through the job `monday`. Returns True where it was published.

    Raises InputError where the input, or the configuration, can't be used.
    """
    started = time.monotonic()
    if not _executed(home, week, "monday", overlay, refresh_inputs):
        return False
    print(f"Monday {week} published in {time.monotonic() - started:.0f} s: {home.published}", file=sys.stderr)
    return True


def run_shadow(home: Home, week: dt.date) -> bool:
    """Make the tables of one Monday in a home made for that, and publish nothing. Returns True where they are there."""
    return _executed(home, week, "shadow_monday", None, refresh_inputs=False)


def _executed(home: Home, week: dt.date, name: str, overlay: Path | None, refresh_inputs: bool) -> bool:
    if not keys.WEEKLY.has_partition_key(week.isoformat()):
        raise InputError(
            f"week {week}: outside the weeks there are, {keys.FIRST_WEEK} to {keys.WEEKLY.get_last_partition_key()}"
        )
    require_begun(week, dt.datetime.now(dt.UTC).replace(tzinfo=None))
    print(f"Monday {week}", file=sys.stderr)
    job = build_defs(str(home.root), str(overlay.resolve()) if overlay else "").resolve_job_def(name)
    run_config: dict[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    if refresh_inputs:
        run_config["ops"] = {"landing__files": {"config": {"refresh_inputs": True}}}
    with _instance(home) as instance, dbt_output(home) as dbt_log, lines_on_standard_error(), sigterm_as_it_was():
        for run_id in report_dead_runs(instance):
            LOG.info(f"run {run_id}: its process is gone, so it is told as failed")
        result = job.execute_in_process(
            run_config=run_config,
            instance=instance,
            partition_key=week.isoformat(),
            raise_on_error=False,
            tags=process_tags(home.dagster),  # from its first moment; else it is told when the run takes its home
        )
    if not result.success:
        _explain_failure(result, dbt_log)
    return bool(result.success)


def run_history(home: Home, week: dt.date) -> dict[str, float]:
    """Seconds each step took in the newest run of a week, in the order they ran."""
    with _instance(home) as instance:
        runs = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": week.isoformat()}), limit=1)
        steps = instance.get_run_step_stats(runs[0].run_id) if runs else []
    ran = sorted((step.start_time, step.step_key, step.end_time) for step in steps if step.start_time and step.end_time)
    return {key: end - start for start, key, end in ran}


@contextlib.contextmanager
def _instance(home: Home) -> Iterator[dg.DagsterInstance]:
    """Run history in the home: with the default home the same that `dagster dev` here shows."""
    base = home.dagster
    base.mkdir(parents=True, exist_ok=True)
    settings = {
        "storage": {
            "custom": {
                "module": RunHistory.__module__,
                "class": RunHistory.__name__,
                "config": {"base_dir": str(base)},
            }
        },
        # What steps print is shown, or in dbt/last_run.log; keeping it would start two processes a step.
        "compute_logs": {
            "module": "dagster._core.storage.noop_compute_log_manager",
            "class": "NoOpComputeLogManager",
        },
    }
    reference = InstanceRef.from_dir(str(base), config_dir=str(REPOSITORY), overrides=settings)
    with open(base / "set_up.lock", "w", encoding="utf-8") as turn:
        # One after the other: two first runs that make these databases at once fail with "table already exists".
        fcntl.flock(turn, fcntl.LOCK_EX)
        instance = dg.DagsterInstance.from_ref(reference)
    with instance:
        yield instance


@contextlib.contextmanager
def dbt_output(home: Home) -> Iterator[Path]:
    """What dbt prints goes to a file: a screenful a run, and needed only when something fails.

    Under a name of its own until the run ends: a run that waits must not write over the log of the one it waits for.
    """
    path = home.root / "dbt" / "last_run.log"
    beside = path.with_name(f"run_{os.getpid()}.log")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(beside, "w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
            yield path
    finally:
        os.replace(beside, path)


class _Lines(logging.StreamHandler):  # type: ignore[type-arg]
    """Lines of progress for a person."""


@contextlib.contextmanager
def lines_on_standard_error() -> Iterator[None]:
    """Progress for a person; Dagster's own events are left to its UI."""
    if any(isinstance(handler, _Lines) for handler in LOG.handlers):  # a comparison's, which runs weeks
        yield
        return
    handler = _Lines(sys.stderr)
    handler.setFormatter(logging.Formatter("  %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    try:
        yield
    finally:
        LOG.removeHandler(handler)


def _explain_failure(result: dg.ExecuteInProcessResult, dbt_log: Path) -> None:
    # Of what failed or was ended alone: a step that is tried again tells of an error too, and may have recovered.
    ends = [event for event in result.all_events if event.is_failure or event.event_type in _ENDS]
    for event in ends:
        error = getattr(event.event_specific_data, "error", None)
        if error is None:
            continue
        while error is not None:
            if error.cls_name in {kind.__name__ for kind in INTERRUPTS}:
                raise KeyboardInterrupt
            if error.cls_name == "InputError" or (error.cls_name or "").endswith("FileError"):
                raise InputError(error.message.split(": ", 1)[-1].strip())
            last, error = error, error.cause
        where = event.step_key or "the run"
        lines = last.message.strip().splitlines()
        print(
            f"monday-mix: {where} failed: {lines[0] if lines else last.cls_name}; dbt's words are in {dbt_log}",
            file=sys.stderr,
        )
        return
    print(f"monday-mix: the run failed; dbt's words are in {dbt_log}", file=sys.stderr)
