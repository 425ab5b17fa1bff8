"""The machine-learning steps of Monday Mix, as pure functions: Arrow or NumPy in, Arrow or NumPy out.

Belongs here: landing intake, the demo world, collaborative filtering, retrieval, rules, reasons.
Does not: Dagster, dbt, reading the environment, a connection to the warehouse.
"""
