"""Importers: what other services let a listener download, as landing files.

Belongs here: one module a format, and what they share: opening files, ids, landing files, the report.
Does not: judging rows against the landing contract (the warehouse does), running a week.
"""
