"""Loaded before every test module, and with it the package `tests`: one BLAS thread in tests as in a run.

Two workers with two BLAS threads each on two cores wait for one another: fusing a demo world took 31 s of CPU, not 2.
"""

import gc
import os
import signal

import pytest

from dagster_project import dbt_manifest
from tests.loaded_dbt import LoadedDbt

# Before anything loads numba. ranx compiles its loops when they are first called, 45 s for lists of a dozen tracks; as
# plain Python they are the same loops.
os.environ["NUMBA_DISABLE_JIT"] = "1"

# What a script starts in its background has SIGINT ignored, and SIGTERM once Dagster has run, which takes it alike. So
# has what it starts then, and what tests end by a signal must end.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Before anything takes the constant's value. Only where a process that ended can be waited for among others: Linux.
LOADED_DBT = LoadedDbt()
if hasattr(os, "pidfd_open"):
    dbt_manifest.DBT = LOADED_DBT


def pytest_collection_finish() -> None:
    # What was loaded stays: looking through it again and again for what may go took 0.7 s of CPU a Monday.
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    LOADED_DBT.end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """End to end first: a module that takes minutes must not begin when all others are done."""
    items.sort(key=lambda item: "end_to_end" not in item.path.parts)
