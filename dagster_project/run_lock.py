"""One run at a time: the lock a run holds on its home.

Belongs here: taking and giving back the lock. Does not: what a run does while it holds it.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

WAIT_SECONDS = 0.5
REMIND_EVERY = 60  # waits between two lines that say so


@contextlib.contextmanager
def hold_run_lock(root: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Hold `<home>/run.lock`; wait for whoever holds it, and say so.

    While it is held, the lock is this process's standard input. A child inherits that one descriptor
    however it is started, so a dbt whose parent was killed keeps the lock until it has ended, and the
    next run never meets its half-written tables.
    """
    path = root / "run.lock"
    root.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _wait_for(descriptor, path, say)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        with _as_standard_input(descriptor):
            yield
    finally:
        # Unlocking, not only closing: a child that outlives us would otherwise keep it after a clean end.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _wait_for(descriptor: int, path: Path, say: Callable[[str], None]) -> None:
    waited = 0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if waited % REMIND_EVERY == 0:
                holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
                say(f"waiting: another run (process {holder}) holds {path}")
            waited += 1
            time.sleep(WAIT_SECONDS)


@contextlib.contextmanager
def _as_standard_input(descriptor: int) -> Iterator[None]:
    try:
        before = os.dup(0)
    except OSError:  # no standard input at all, as under some supervisors
        before = os.open(os.devnull, os.O_RDONLY)
    os.dup2(descriptor, 0, inheritable=True)
    try:
        yield
    finally:
        os.dup2(before, 0, inheritable=True)
        os.close(before)
