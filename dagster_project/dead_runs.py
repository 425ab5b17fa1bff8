"""Runs whose process died: told apart from those that work, and reported as failed.

Belongs here: how a run says which process works on it, finding out whether that still lives. Does not: the lock on a
home (run_lock.py), when it is asked (cli_run.py, sensors.py).

A process that is killed can't tell Dagster, and its run stays "started" in the history: with one run at a time, what
is queued behind it would wait for ever. So a process holds the lock of a file for as long as it lives, and its runs are
tagged with that file. The operating system gives the lock back however the process ends, also when the machine does,
and no other process takes it: a number that is used again, or another container's, misleads nobody.
"""

import fcntl
import json
import os
import platform
import uuid
from pathlib import Path
from typing import Any

import dagster as dg

TAG = "monday_mix/process"
_FOLDER = "processes"
_BOOT = Path("/proc/sys/kernel/random/boot_id")  # on Linux; containers of one machine share it
_AT_WORK = (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING)

# This process's file in each folder, open until it ends. Of a process that was forked, its parent's are not its own.
_held: dict[tuple[int, Path], tuple[int, Path]] = {}


def process_tags(history: Path) -> dict[str, str]:
    """Tags of a run that this process works on.  history: folder of the run history, where the file is kept."""
    said = {**_machine(), "process": os.getpid(), "file": str(_own_file(history / _FOLDER))}
    return {TAG: json.dumps(said, sort_keys=True)}


def report_dead_runs(instance: dg.DagsterInstance) -> list[str]:
    """End, in the history, each run whose process is gone; returns their ids.

    Failed, or cancelled where that had been asked for. Left alone: runs whose process lives, is another machine's or
    was never told.
    """
    found = instance.get_runs(dg.RunsFilter(statuses=list(_AT_WORK)))
    return [run.run_id for run in found if _is_dead(run) and _report(instance, run.run_id)]


def _report(instance: dg.DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)  # again: a process's last act may have been to end its run
    if run is None or run.status not in _AT_WORK:
        return False
    process = json.loads(run.tags[TAG]).get("process")
    words = f"The process that worked on it ({process}) is gone: it was killed, or the machine stopped. Run it again."
    if run.status == dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, words)
    else:
        instance.report_run_failed(run, words)
    return True


def _is_dead(run: dg.DagsterRun) -> bool:
    try:
        said: dict[str, Any] = json.loads(run.tags.get(TAG, "{}"))
        file = Path(said["file"])
    except (json.JSONDecodeError, KeyError, TypeError):
        return False
    here = _machine()
    same_boot = bool(here["boot"]) and said.get("boot") == here["boot"]
    if said.get("host") != here["host"] and not same_boot:
        return False
    # Without its folder nothing is known: another place may be mounted here.
    return file.parent.is_dir() and not _is_locked(file)


def _is_locked(file: Path) -> bool:
    """Whether a process lives that holds a file; also where that can't be found out."""
    try:
        descriptor = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _machine() -> dict[str, str]:
    return {"host": platform.node(), "boot": _BOOT.read_text(encoding="utf-8").strip() if _BOOT.exists() else ""}


def _own_file(folder: Path) -> Path:
    """The file of this process in a folder: made at its first run there, and again where it was deleted."""
    key = os.getpid(), folder
    if key in _held:
        descriptor, file = _held[key]
        if file.exists() and os.path.samestat(file.stat(), os.fstat(descriptor)):
            return file
        os.close(descriptor)
    _held[key] = _new_file(folder)
    return _held[key][1]


def _new_file(folder: Path) -> tuple[int, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.lock"):  # of processes that ended; that one is gone says as much as that it is free
        if not _is_locked(left):
            left.unlink(missing_ok=True)
    file = folder / f"{uuid.uuid4().hex}.lock"
    beside = file.with_suffix(".new")
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.replace(beside, file)  # locked before it has its name: nobody finds it free
    return descriptor, file
