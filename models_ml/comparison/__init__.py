"""Comparison: two weeks of lists side by side, and what a gate makes of it.

Belongs here: how far two recipes' lists lie apart, on which listeners found more, the thresholds, the picture.
Does not: making the lists, which weeks are compared (dagster_project decides both).
"""
