"""A command as a process of its own, and what it and its descendants took: seconds, CPU, memory.

Belongs here: starting, watching, adding up. Does not: which commands, or what is made of the figures.
"""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

SAMPLE_SECONDS = 0.2


@dataclass(frozen=True)
class Usage:
    """What a command took.

    seconds: from its start to its end.  cpu_seconds: user and system, descendants too.
    peak_bytes: highest sum of resident memory (RSS) over the processes alive at one moment. A page that two share
    counts twice, so it errs upwards. To tell such pages apart (PSS) walks all of a process's pages while it waits: half
    a second for four gigabytes, several times a second. Files in the page cache are not in it unless a process maps
    them.
    load_before: processes that wanted a core in the minute before, an earlier command of ours among them.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    load_before: float


def run_watched(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Usage:
    """Run a command to its end in a folder; what it prints passes through. SystemExit where it fails."""
    os.sync()  # what was written before is not this command's to wait for
    load_before = os.getloadavg()[0]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL)
    watcher = _Watcher(process.pid)
    watcher.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
    except BaseException:
        process.terminate()
        raise
    finally:
        watcher.stop()
    seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: failed with exit code {process.returncode}; its words are above")
    return Usage(seconds, used.ru_utime + used.ru_stime, watcher.peak_bytes, load_before)


class _Watcher(threading.Thread):
    """Samples the memory of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._ended = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        """Until told to stop."""
        while not self._ended.wait(SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, _tree_bytes(self._pid))

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self.join()


def _tree_bytes(pid: int) -> int:
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_own_bytes(process) for process in tree)


def _own_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:  # it ended meanwhile
        return 0
