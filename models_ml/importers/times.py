"""Moments as the exports write them.

Belongs here: text and numbers to milliseconds since 1970, UTC. Does not: which moment of a play is meant.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

NO_MOMENT: Final = np.iinfo(np.int64).min
# What the warehouse takes for a moment; numbers outside are no seconds since 1970.
EARLIEST_MS: Final = int(dt.datetime(1900, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
LATEST_MS: Final = int(dt.datetime(2200, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)
# The latest moment in seconds is far below this, the earliest of these services in milliseconds far above.
_MILLISECONDS_FROM: Final = 100_000_000_000
_ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2})?$"
_WRITTEN = ("%d %b %Y, %H:%M", "%d %b %Y %H:%M", "%d %b %Y %H:%M:%S", "%d/%m/%Y %H:%M")


def moments_of(texts: pa.Array) -> npt.NDArray[np.int64]:
    """Milliseconds since 1970 of each text, NO_MOMENT where it is none.

    ISO 8601 (without an offset UTC), seconds or milliseconds since 1970, or "02 Jan 2020 12:34".
    """
    found = _iso(texts)
    if len(texts) and found.null_count:
        found = pc.coalesce(found, _numbers(texts))
    for form in _WRITTEN:
        if not found.null_count:
            break
        read = pc.strptime(pc.utf8_trim_whitespace(texts), form, "s", error_is_null=True)
        found = pc.coalesce(found, read.cast(pa.timestamp("ms")).cast(pa.int64()))
    moments: npt.NDArray[np.int64] = pc.fill_null(found, NO_MOMENT).to_numpy(zero_copy_only=False)
    return np.where((moments >= EARLIEST_MS) & (moments < LATEST_MS), moments, NO_MOMENT)


def _iso(texts: pa.Array) -> pa.Array:
    """Milliseconds of the texts that are ISO 8601, else null."""
    try:
        # All of one service, with the Z at the end or all without: at once.
        has_zone = len(texts) > 0 and bool(pc.all(pc.ends_with(texts, "Z")).as_py())
        kind = pa.timestamp("ms", "UTC") if has_zone else pa.timestamp("ms")
        return texts.cast(kind).cast(pa.int64())
    except pa.ArrowInvalid:
        matching = pc.fill_null(pc.match_substring_regex(texts, _ISO), False)
        kept = pc.if_else(matching, texts, pa.scalar(None, pa.string()))
        return pa.array([_iso_alone(text) for text in kept.to_pylist()], pa.int64())


def _iso_alone(text: str | None) -> int | None:
    try:
        moment = dt.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if moment is None:
        return None
    return round((moment.replace(tzinfo=moment.tzinfo or dt.UTC)).timestamp() * 1000)


def _numbers(texts: pa.Array) -> pa.Array:
    digits = pc.fill_null(pc.match_substring_regex(texts, r"^\s*\d{1,15}\s*$"), False)
    numbers = pc.if_else(digits, pc.utf8_trim_whitespace(texts), pa.scalar(None, pa.string())).cast(pa.int64())
    return pc.if_else(pc.less(numbers, _MILLISECONDS_FROM), pc.multiply(numbers, 1000), numbers)


def unix_moments(values: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Milliseconds of seconds since 1970 as JSON has them, numbers or their text; NO_MOMENT where there are none."""
    if all(type(value) is int and abs(value) < _MILLISECONDS_FROM for value in values):
        moments = np.array(values, dtype=np.int64) * 1000
    else:
        moments = np.array([_unix_ms(value) for value in values], dtype=np.int64)
    return np.where((moments >= EARLIEST_MS) & (moments < LATEST_MS), moments, NO_MOMENT)


def _unix_ms(value: Any) -> int:
    try:
        moment = int(float(value) * 1000) if not isinstance(value, bool) else NO_MOMENT
    except (TypeError, ValueError, OverflowError):
        return int(NO_MOMENT)
    return moment if EARLIEST_MS <= moment < LATEST_MS else int(NO_MOMENT)
