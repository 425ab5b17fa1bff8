"""Experiments: what a declaration has to be, who gets which settings, how many listeners an effect takes.

Belongs here: steps of experiments as pure functions. Does not: assignment, exposure and results, which are SQL.
"""
