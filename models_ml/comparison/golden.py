"""Golden listeners: what has changed in the lists of a few, track by track, for a person to look at.

Belongs here: the rows of the difference. Does not: who they are, whether anyone has looked (dagster_project/golden.py).
"""

from typing import Any, Final

import pyarrow as pa

IN, OUT, MOVED, STAYED = "in", "out", "moved", "stayed"
GOLDEN_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("change", pa.string()),
        ("position_before", pa.int32()),
        ("position", pa.int32()),
        ("track_id", pa.string()),
        ("recording_id", pa.string()),
        ("title", pa.string()),
        ("artist_name", pa.string()),
        ("reason", pa.string()),
    ]
)
SLOT_COLUMNS: Final = ["user_id", "position", "track_id", "recording_id", "title", "artist_name", "reason"]


def list_changes(users: list[str], before: pa.Table, now: pa.Table) -> pa.Table:
    """GOLDEN_SCHEMA, by listener in the order given: what is in the list now, by position, then what went out of it.

    before, now: SLOT_COLUMNS of lists of two weeks.  A recording is the same whatever its edition.
    """
    earlier, later = _by_listener(before), _by_listener(now)
    rows: list[dict[str, Any]] = []
    for user in users:
        was, is_now = earlier.get(user, {}), later.get(user, {})
        rows += [_row(slot, was.get(recording), slot) for recording, slot in is_now.items()]
        rows += [_row(slot, slot, None) for recording, slot in was.items() if recording not in is_now]
    return pa.Table.from_pylist(rows, schema=GOLDEN_SCHEMA)


def _by_listener(slots: pa.Table) -> dict[str, dict[str, dict[str, Any]]]:
    """Slots of each listener by recording, in the order of their positions."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for slot in slots.select(SLOT_COLUMNS).sort_by([("user_id", "ascending"), ("position", "ascending")]).to_pylist():
        found.setdefault(slot["user_id"], {})[slot["recording_id"]] = slot
    return found


def _row(shown: dict[str, Any], was: dict[str, Any] | None, is_now: dict[str, Any] | None) -> dict[str, Any]:
    before, now = (slot["position"] if slot else None for slot in (was, is_now))
    change = IN if before is None else OUT if now is None else STAYED if before == now else MOVED
    return {**shown, "change": change, "position_before": before, "position": now}
