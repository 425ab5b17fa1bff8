"""Progress: lines a person reads while something long is going on.

Belongs here: the logger they go to and how often. Does not: who shows them (Dagster's UI through
`python_logs` in dagster.yaml, the command line through a handler).
"""

import logging
import time
from collections.abc import Callable

LOG = logging.getLogger("monday_mix")
EVERY_SECONDS = 1.0


def unhurried(to: Callable[[str], None] = LOG.info) -> Callable[[str], None]:
    """A progress function that passes on one line a second: enough to see it move, few enough to read."""
    last = time.monotonic()

    def say(line: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= EVERY_SECONDS:
            last = now
            to(line)

    return say
