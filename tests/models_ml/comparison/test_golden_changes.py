"""What a person sees of the golden listeners' lists: what came, what went, what moved."""

import pyarrow as pa

from models_ml.comparison.golden import SLOT_COLUMNS, list_changes


def _slots(lists: dict[str, list[str]]) -> pa.Table:
    rows = [
        {
            "user_id": user,
            "position": position,
            "track_id": f"track of {recording}",
            "recording_id": recording,
            "title": recording.upper(),
            "artist_name": "someone",
            "reason": f"because {user}",
        }
        for user, recordings in lists.items()
        for position, recording in enumerate(recordings, 1)
    ]
    schema = pa.schema([(name, pa.int32() if name == "position" else pa.string()) for name in SLOT_COLUMNS])
    return pa.Table.from_pylist(rows, schema=schema)


def _seen(users: list[str], before: dict[str, list[str]], now: dict[str, list[str]]) -> list[tuple[object, ...]]:
    rows = list_changes(users, _slots(before), _slots(now)).to_pylist()
    return [
        (row["user_id"], row["change"], row["recording_id"], row["position_before"], row["position"]) for row in rows
    ]


def test_tracks_come_go_move_and_stay() -> None:
    assert _seen(["u"], {"u": ["a", "b", "c"]}, {"u": ["a", "c", "d"]}) == [
        ("u", "stayed", "a", 1, 1),
        ("u", "moved", "c", 3, 2),
        ("u", "in", "d", None, 3),
        ("u", "out", "b", 2, None),
    ]


def test_listeners_stand_in_the_order_they_were_named_and_others_are_not_shown() -> None:
    both = {"a": ["x"], "b": ["y"], "c": ["z"]}
    assert [row[0] for row in _seen(["c", "a"], both, both)] == ["c", "a"]


def test_a_first_list_comes_and_a_lost_one_goes() -> None:
    assert _seen(["u"], {}, {"u": ["a"]}) == [("u", "in", "a", None, 1)]
    assert _seen(["u"], {"u": ["a"]}, {}) == [("u", "out", "a", 1, None)]
    assert _seen([], {"u": ["a"]}, {"u": ["a"]}) == []


def test_the_reason_shown_is_that_of_the_list_the_track_is_in() -> None:
    rows = list_changes(["u"], _slots({"u": ["a"]}), _slots({"u": ["b"]})).to_pylist()
    assert {row["change"]: row["reason"] for row in rows} == {"in": "because u", "out": "because u"}
    assert rows[0]["title"] == "B"
