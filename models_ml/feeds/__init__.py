"""Feeds: what RSS and Atom feeds publish, as landing files of `documents`.

Belongs here: fetching with manners and within limits, reading a feed's entries, what has landed before.
Does not: judging rows against the landing contract (the warehouse does), the command line
(dagster_project/cli_feeds.py).
"""
