"""Seconds by stage, for scripts that do their work in one process.

Belongs here: adding up and telling. Does not: what the stages do.
"""

import contextlib
import sys
import time
from collections.abc import Iterator


class Stopwatch:
    """Adds up the seconds of stages, and those of the processor, however often each is entered."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count what happens inside towards the stage."""
        started, cpu_started = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started
            self.cpu_seconds[stage] = self.cpu_seconds.get(stage, 0.0) + time.process_time() - cpu_started

    def tell(self) -> None:
        """One line on standard error: seconds, and those of all threads that the processor worked."""
        each = (f"{stage} {taken:.1f} s ({self.cpu_seconds[stage]:.1f} CPU)" for stage, taken in self.seconds.items())
        print("  ".join(each), file=sys.stderr)
