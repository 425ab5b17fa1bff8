"""Golden listeners: the few whose lists a person looks at each week, and what was approved.

Belongs here: who they are (`<home>/golden_listeners.txt`), their lists of two weeks, approvals in the lake.
Does not: the difference itself (models_ml/comparison/golden.py), holding up a week (checks_gate.py).
"""

import datetime as dt
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import parent_week
from dagster_project.progress import LOG
from dagster_project.run_lock import hold_run_lock
from models_ml.comparison.golden import SLOT_COLUMNS, list_changes
from models_ml.errors import InputError
from models_ml.landing.storage import replace_file

MOST_LISTENERS = 20
GIVEN, GOLDEN, APPROVALS = "marts/weekly_playlist_tracks", "gate/golden_listeners", "gate/approvals"
APPROVALS_SCHEMA = pa.schema(
    [("lists_hash", pa.string()), ("approved_by", pa.string()), ("approved_at", pa.timestamp("us"))]
)


def _file(home: Home) -> Path:
    return home.root / "golden_listeners.txt"


def golden_listeners(home: Home) -> list[str]:
    """Their ids, one a line, # begins a remark; none without the file.

    Raises InputError naming file and line where an id comes twice, or there are more than a person looks at.
    """
    path = _file(home)
    if not path.exists():
        return []
    users: list[str] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        user = line.split("#")[0].strip()
        if user in users:
            raise InputError(f"{path}: line {number}: {user!r} is there already")
        if user:
            users.append(user)
        if len(users) > MOST_LISTENERS:
            raise InputError(
                f"{path}: line {number}: {user!r} is one more than {MOST_LISTENERS}, which nobody looks at"
            )
    return users


def leave_out_golden(home: Home, user_ids: frozenset[str]) -> None:
    """The file of golden listeners without these; every other line as it was."""
    if not user_ids & set(golden_listeners(home)):
        return
    path = _file(home)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    replace_file(path, "".join(line for line in lines if line.split("#")[0].strip() not in user_ids).encode())


def golden_changes(home: Home, week: dt.date) -> pa.Table:
    """GOLDEN_SCHEMA: their lists of the week against those of the newest completed week before it."""
    lake, users, parent = Lake(home.lake), golden_listeners(home), parent_week(home, week)
    now = _theirs(lake, week, users)
    before = _theirs(lake, parent, users) if parent else now.slice(0, 0)
    return list_changes(users, before, now)


def lists_hash(home: Home, week: dt.date) -> str:
    """Hash of all lists of the week: those that are approved, and no others."""
    return Lake(home.lake).content_hash(GIVEN, week)[:32]


def is_approved(home: Home, week: dt.date) -> bool:
    """Whether a person approved these very lists."""
    lake = Lake(home.lake)
    if not lake.has_week(APPROVALS, week):
        return False
    return lists_hash(home, week) in lake.read_week(APPROVALS, week)["lists_hash"].to_pylist()


def approve(home: Home, week: dt.date, shown: str, approved_by: str, at: dt.datetime) -> None:
    """Put on record that a person approved the week's lists.  shown: hash of those they saw.  at: naive UTC.

    InputError where the lists are others by now.
    """
    lake = Lake(home.lake)
    with hold_run_lock(home.root, LOG.info):
        if lists_hash(home, week) != shown:
            raise InputError(f"lists of {week}: made anew since they were shown; nothing was approved, look again")
        row = {"lists_hash": shown, "approved_by": approved_by, "approved_at": at}
        rows = pa.Table.from_pylist([row], schema=APPROVALS_SCHEMA)
        if lake.has_week(APPROVALS, week):
            rows = pa.concat_tables([lake.read_week(APPROVALS, week), rows])
        lake.replace_week(APPROVALS, week, rows, APPROVALS_SCHEMA)


def _theirs(lake: Lake, week: dt.date, users: list[str]) -> pa.Table:
    slots = lake.read_week(GIVEN, week, SLOT_COLUMNS)
    return slots.filter(pc.is_in(slots["user_id"], pa.array(users, pa.string())))
