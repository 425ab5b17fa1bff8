"""Weeks that were made again and not published: what a run left in the lake that didn't come to its end.

Belongs here: telling such a week. Does not: what holds a run up (the checks), what is published in its place
(publishing.py).

A blocking check stands behind the tables it looks at: where it holds a week up, the lake has lists that nobody was
given, and the manifest still names those that were.
"""

import datetime as dt
import json
from typing import Any

from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import MANIFEST_TABLES, read_manifest, table_hashes
from models_ml.landing.storage import replace_file

_BEING_MADE = "being_made.json"
# What published rows are made of and a run changes one by one; the other steps' tables come before them.
_LISTS = frozenset({"ml/playlist_slots", "ml/relaxations", "ml/playlist_mixes"})
_COMPARED = tuple(name for name in MANIFEST_TABLES if name in _LISTS or name.startswith("marts/"))


def begin_making(home: Home, week: dt.date) -> None:
    """Note that a run puts its own tables of a week into the lake; its manifest, of another moment, ends that."""
    manifest = read_manifest(home, week)
    if manifest is not None:
        replace_file(home.models(week) / _BEING_MADE, json.dumps({"after": manifest["generated_at"]}).encode())


def is_being_made(home: Home, week: dt.date) -> bool:
    """Whether a run has begun to make a published week again, and has not published it."""
    manifest, note = read_manifest(home, week), home.models(week) / _BEING_MADE
    if manifest is None or not note.exists():
        return False
    return bool(json.loads(note.read_text(encoding="utf-8"))["after"] == manifest["generated_at"])


def is_held_up(home: Home, week: dt.date) -> bool:
    """Whether the lake's lists of a week are others than its manifest vouches for; so too where it has none."""
    manifest = read_manifest(home, week)
    return manifest is None or is_being_made(home, week) or _differs(home, week, manifest)


def _differs(home: Home, week: dt.date, manifest: dict[str, Any]) -> bool:
    """One that was published without a table, since there was none then, has it only if it was made again."""
    there = [table for table in _COMPARED if Lake(home.lake).has_week(table, week)]
    return any(manifest["tables"].get(table) != now for table, now in table_hashes(home, week, there).items())
