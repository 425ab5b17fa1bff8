"""Loaded before every test module, and with it the package `tests`: one BLAS thread in tests as in a run.

Two workers with two BLAS threads each on two cores wait for one another: fusing a demo world took 31 s of CPU, not 2.
"""
