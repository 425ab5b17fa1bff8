"""One run at a time, also when a run dies and leaves a child behind."""

import subprocess
import sys
import threading
import time
from pathlib import Path

from dagster_project.run_lock import hold_run_lock

HOLD_AND_LEAVE_A_CHILD = """
import os, subprocess, sys
from pathlib import Path
from dagster_project.run_lock import hold_run_lock
with hold_run_lock(Path(sys.argv[1]), print):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(float('%s'))" % sys.argv[2]])
    print("held", flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_second_run_waits_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with hold_run_lock(tmp_path, said.append):
            order.append("second")

    with hold_run_lock(tmp_path, said.append):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"]
    assert len(said) == 1
    assert "waiting: another run" in said[0]


def test_a_child_of_a_killed_run_keeps_the_lock_until_it_ends(tmp_path: Path) -> None:
    started = time.monotonic()
    # No pipes: the child would hold them open, and waiting for their end would be waiting for the child.
    run = subprocess.run(
        [sys.executable, "-c", HOLD_AND_LEAVE_A_CHILD, str(tmp_path), "3"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert run.returncode == -9
    said: list[str] = []
    with hold_run_lock(tmp_path, said.append):
        waited = time.monotonic() - started
    assert said, "the orphan should have held the lock"
    assert waited >= 2.5


def test_the_lock_is_free_after_a_clean_end_even_if_a_child_lives_on(tmp_path: Path) -> None:
    said: list[str] = []
    with hold_run_lock(tmp_path, said.append):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(20)"])
    try:
        with hold_run_lock(tmp_path, said.append):
            pass
    finally:
        child.kill()
        child.wait()
    assert said == []
