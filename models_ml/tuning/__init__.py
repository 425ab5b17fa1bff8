"""Tuning: settings chosen by what they find of something held out.

Belongs here: what is tried, in which order, what is held out, how a setting is scored; as functions of arrays.
Does not: configuration files, dbt, where anything lies (dagster_project/).
"""
