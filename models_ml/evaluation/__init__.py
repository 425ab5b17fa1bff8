"""Evaluation: lists made weeks ago, scored against what their listeners then did.

Belongs here: metrics, their intervals, segments, baselines, the report and its picture, all as pure functions.
Does not: which weeks are compared, how the truth is found in events (the warehouse decides both).
"""
