"""Forgetting: files and tables without the listeners who asked for it, and the search that shows it.

Belongs here: whose a row is, landing files and Parquet tables rewritten, looking through files for ids.
Does not: where a home keeps them, the order of the steps, what is remembered of a request (dagster_project).
"""
