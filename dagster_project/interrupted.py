"""A run that a person or a supervisor ends, with Ctrl-C, SIGTERM or "Terminate": it ends, and so does what it started.

Belongs here: how steps, retries and dbt calls take an interrupt. Does not: runs that fail or are killed.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster_dbt import DbtCliInvocation

INTERRUPTS = (dg.DagsterExecutionInterruptedError, KeyboardInterrupt)


class Retries(dg.RetryPolicy):
    """Tries again a step that failed, never one that was interrupted.

    Dagster asks a step's policy after an interrupt as after a failure, and begins the step again: whoever pressed
    Ctrl-C during a dbt call got a whole Monday all the same.
    """

    def calculate_delay(self, attempt_num: int) -> float:
        """Seconds to the next try; raises the interrupt that ended this one, if that is what did."""
        interrupt = interrupt_behind(sys.exc_info()[1])
        if interrupt is not None:
            raise interrupt
        return float(super().calculate_delay(attempt_num))


def interrupt_behind(error: BaseException | None) -> BaseException | None:
    """The interrupt an error is, or came up in the handling of: a dbt that doesn't end in time is such an error."""
    while error is not None and not isinstance(error, INTERRUPTS):
        error = error.__cause__ or error.__context__
    return error


@contextmanager
def ended_with_its_step(invocation: DbtCliInvocation) -> Iterator[DbtCliInvocation]:
    """A dbt call that doesn't outlive its step.

    Interrupted, Dagster asks dbt to end and leaves it after a while; dbt can't break off a query. Left alone it would
    write to its file when the next run already does.
    """
    try:
        yield invocation
    finally:
        if invocation.process.poll() is None:
            invocation.process.kill()
            invocation.process.wait()
