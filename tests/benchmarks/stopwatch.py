"""Seconds by stage, for scripts that do their work in one process.

Belongs here: adding up and telling. Does not: what the stages do.
"""

import contextlib
import sys
import time
from collections.abc import Iterator


class Stopwatch:
    """Adds up the seconds of stages, however often each is entered."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count what happens inside towards the stage."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - started

    def tell(self) -> None:
        """One line on standard error."""
        print("  ".join(f"{stage} {taken:.1f} s" for stage, taken in self.seconds.items()), file=sys.stderr)
