"""Feedback weights: what each kind of event says of a track, by where it was heard.

Belongs here: reading a table of weights and saying what is wrong in it, its hash. Does not: how weights are used (the
warehouse, macros/weighting.sql), where the table lies.
"""

import csv
import hashlib
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from models_ml.errors import InputError

COLUMNS: Final = ("weights_version", "event_type", "context_class", "sign", "weight", "half_life_days", "daily_cap")
HEARD_TYPES: Final = ("play", "skip")
STATED_TYPES: Final = ("save", "unsave", "playlist_add", "playlist_remove", "like", "dislike")
CONTEXTS: Final = ("chosen", "library", "lean_back", "own_playlist")
# A bare total has no context.
TOTALS: Final = ("play_count", "chosen")
PLACES: Final = (*itertools.product((*HEARD_TYPES, *STATED_TYPES), CONTEXTS), TOTALS)

Row = dict[str, str]


def read_event_weights(path: Path) -> list[Row]:
    """The rows of a table of weights, as text and in its order.

    Raises InputError naming file, row, column and value: every kind of event and context once, signs 1 or -1, weights
    from 0 on, half-lives above 0 or none, caps from 1 on or none.
    """
    rows = list(_rows(path))
    seen: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows, 2):  # the head is row 1, as in every spreadsheet
        for column, (is_right, words) in _RULES.items():
            if not is_right(row[column]):
                raise InputError(f"{path}: row {number}: {column} is {row[column]!r}; it has to be {words}")
        place = row["event_type"], row["context_class"]
        if place not in PLACES:
            raise InputError(f"{path}: row {number}: context_class is {place[1]!r}; {place[0]} has {TOTALS[1]!r} only")
        if place in seen:
            raise InputError(
                f"{path}: row {number}: event_type {place[0]!r} in {place[1]!r} is in row {seen[place]} too"
            )
        seen[place] = number
    missing = [place for place in PLACES if place not in seen]
    if missing:
        raise InputError(f"{path}: no row for event_type {missing[0][0]!r} and context_class {missing[0][1]!r}")
    return rows


def weights_hash(rows: list[Row]) -> str:
    """Short hash of what the rows say, whatever their order, their spelling of numbers or their version."""
    said = sorted(
        (row["event_type"], row["context_class"], *(_number(row[name]) for name in COLUMNS[3:])) for row in rows
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def weight_differences(before: list[Row], after: list[Row]) -> list[str]:
    """What `after` says otherwise, in words, in its order: `skip in chosen: sign -1 -> 1`.  Both as they are read."""
    was_of = {(row["event_type"], row["context_class"]): row for row in before}
    return [
        f"{row['event_type']} in {row['context_class']}: {name} {was[name] or 'none'} -> {row[name] or 'none'}"
        for row in after
        for was in [was_of[row["event_type"], row["context_class"]]]
        for name in COLUMNS[3:]
        if _number(row[name]) != _number(was[name])
    ]


def _rows(path: Path) -> Iterator[Row]:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            head = tuple(reader.fieldnames or ())
            if head != COLUMNS:
                raise InputError(
                    f"{path}: columns are {', '.join(head) or 'none'}; they have to be {', '.join(COLUMNS)}"
                )
            for number, row in enumerate(reader, 2):
                if None in row or None in row.values():
                    raise InputError(f"{path}: row {number}: not {len(COLUMNS)} values, as the head has")
                yield {name: value.strip() for name, value in row.items()}
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read: {error}") from error


def _number(text: str) -> str:
    return repr(float(text)) if text else ""


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _is_weight(text: str) -> bool:
    value = _finite(text)
    return value is not None and value >= 0


def _is_half_life(text: str) -> bool:
    value = _finite(text) if text else 1.0
    return value is not None and value > 0


def _is_cap(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and int(text) >= 1)


_RULES: dict[str, tuple[Callable[[str], Any], str]] = {
    "weights_version": (lambda text: text.isascii() and text.isdigit(), "a whole number"),
    "event_type": (
        lambda text: text in dict(PLACES),
        f"one of {', '.join(sorted({event_type for event_type, _ in PLACES}))}",
    ),
    "context_class": (lambda text: text in CONTEXTS, f"one of {', '.join(CONTEXTS)}"),
    "sign": (lambda text: text in ("1", "-1"), "1 or -1"),
    "weight": (_is_weight, "a number from 0 on"),
    "half_life_days": (_is_half_life, "a number of days above 0, or empty for never"),
    "daily_cap": (_is_cap, "a whole number from 1 on, or empty for none"),
}
