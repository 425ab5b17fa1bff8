"""A run that a person or a supervisor ends, with Ctrl-C, SIGTERM or "Terminate": it ends, and so does what it started.

Belongs here: how steps, retries and dbt calls take an interrupt. Does not: runs that fail or are killed.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster_dbt import DbtCliInvocation

INTERRUPTS = (dg.DagsterExecutionInterruptedError, KeyboardInterrupt)
# Calls of dbt whose step has not ended. One run works in a process at a time.
_UNDER_WAY: dict[int, DbtCliInvocation] = {}


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
    _UNDER_WAY[id(invocation)] = invocation
    try:
        yield invocation
    finally:
        _end(invocation)


def end_dbt_calls() -> None:
    """End every dbt call of this process that is still under way; a run does before it gives its lock back.

    An interrupt between two events of a step is raised by Dagster, not inside the step, which then learns of it only
    when Python clears it away: some time after the run.
    """
    for invocation in tuple(_UNDER_WAY.values()):
        _end(invocation)


def _end(invocation: DbtCliInvocation) -> None:
    if invocation.process.poll() is None:
        invocation.process.kill()
        invocation.process.wait()
    _UNDER_WAY.pop(id(invocation), None)


@contextmanager
def sigterm_as_it_was() -> Iterator[None]:
    """SIGTERM does afterwards what it did before: Dagster leaves it doing what SIGINT does.

    Where SIGINT is ignored, as in what a script starts in its background, nothing but SIGKILL would end this process
    from then on.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        # Only the main thread sets handlers, Dagster's included; None is one Python did not set and can't put back.
        if threading.current_thread() is threading.main_thread() and before is not None:
            signal.signal(signal.SIGTERM, before)
