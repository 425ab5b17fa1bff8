"""Tests: they mirror the packages, and run the whole road end to end."""

import dagster_project  # noqa: F401  it says how many BLAS threads there are, which only holds before NumPy is loaded
