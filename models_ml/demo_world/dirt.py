"""Dirt of real life in events: rows delivered twice, without a user, with a time that nobody can read.

Belongs here: what is wrong, and with how many rows.
Does not: clean events (event_rows.py), writing files (world_files.py).
"""

import numpy as np
import pyarrow as pa

from models_ml.demo_world.catalogue_tables import texts
from models_ml.demo_world.draws import Ints, Random
from models_ml.demo_world.ids import joined, numbered, track_ids
from models_ml.demo_world.params import WorldParams

# Beyond the numbers of any catalogue.
_UNKNOWN_TRACKS_FROM = 90_000_000
_UNKNOWN_TRACKS = 50
_UNKNOWN_TYPES = np.array(["heartbeat", "seek", "PlaybackStartedV2"], dtype=object)
_UNREADABLE_TIMES = np.array(["yesterday", "2026-13-45T25:61:00Z", "n/a", "32.12.1999 noon"], dtype=object)


def with_dirt(random: Random, chunk_number: int, events: pa.Table, params: WorldParams) -> tuple[pa.Table, pa.Table]:
    """Events with duplicates and broken rows among them, and broken rows for a file of another format.

    events: a chunk's clean ones, sorted by moment; so is the first result. The second has the contract's
    columns as text, occurred_at unreadable in some rows, two unknown columns, and `_week_ms` to file it by.
    """
    count = len(events)
    unknown_track = _sample(random, count, params.unknown_track_share)
    no_user = _sample(random, count, params.missing_user_share)
    no_type = _sample(random, count, params.unknown_type_share)
    negative = _sample(random, count, params.negative_duration_share)
    half = (no_user[::2], no_type[::2], negative[::2])
    spoilt = [
        _spoilt(events, unknown_track, "track_id", _unknown_tracks(random, len(unknown_track))),
        *_broken(random, events, *half),
    ]
    again = events.take(pa.array(_sample(random, count, params.duplicate_share)))
    fresh = _renamed(chunk_number, "x", pa.concat_tables(spoilt))
    table = pa.concat_tables([events, fresh, again])
    when = table["occurred_at"].cast(pa.int64()).to_numpy()
    table = table.take(pa.array(np.argsort(when, kind="stable")))
    others = _broken(random, events, no_user[1::2], no_type[1::2], negative[1::2])
    no_time = events.take(pa.array(_sample(random, count, params.unparsable_time_share)))
    return table, _as_text(random, chunk_number, pa.concat_tables(others), no_time)


def _sample(random: Random, count: int, share: float) -> Ints:
    """Sorted positions of a share of the rows, as many as chance has it."""
    return np.flatnonzero(random.random(count) < share)


def _unknown_tracks(random: Random, count: int) -> pa.Array:
    return track_ids(_UNKNOWN_TRACKS_FROM + random.integers(0, _UNKNOWN_TRACKS, count))


def _broken(random: Random, events: pa.Table, no_user: Ints, no_type: Ints, negative: Ints) -> list[pa.Table]:
    """Rows with one thing wrong each."""
    types = _UNKNOWN_TYPES[random.integers(0, len(_UNKNOWN_TYPES), len(no_type))]
    below = -random.integers(1, 60_000, len(negative))
    return [
        _spoilt(events, no_user, "user_id", pa.nulls(len(no_user), pa.string())),
        _spoilt(events, no_type, "event_type", texts(types)),
        _spoilt(events, negative, "ms_played", pa.array(below)),
    ]


def _spoilt(events: pa.Table, rows: Ints, column: str, values: pa.Array) -> pa.Table:
    table = events.take(pa.array(rows))
    return table.set_column(table.schema.get_field_index(column), events.schema.field(column), values)


def _renamed(chunk_number: int, letter: str, table: pa.Table) -> pa.Table:
    """The rows under event_ids of their own, so that they aren't taken for duplicates of the clean ones."""
    names = joined("-", pa.scalar(f"ev{chunk_number:05d}{letter}"), numbered("", np.arange(len(table)), 6))
    return table.set_column(table.schema.get_field_index("event_id"), "event_id", names)


def _as_text(random: Random, chunk_number: int, broken: pa.Table, no_time: pa.Table) -> pa.Table:
    """Broken rows as a retrying client sends them: texts, and columns that nobody told us of."""
    table = pa.concat_tables([broken, no_time])
    table = _renamed(chunk_number, "y", table)
    week_ms = table["occurred_at"].cast(pa.int64())
    told = table["occurred_at"].cast(pa.timestamp("ms")).cast(pa.string()).to_numpy()
    told[len(broken) :] = _UNREADABLE_TIMES[random.integers(0, len(_UNREADABLE_TIMES), len(no_time))]
    table = table.set_column(table.schema.get_field_index("occurred_at"), "occurred_at", texts(told))
    retries = pa.array(random.integers(1, 9, len(table)))
    return (
        table.append_column("app_version", texts(np.full(len(table), "8.4.1-rc", dtype=object)))
        .append_column("retry_count", retries)
        .append_column("_week_ms", week_ms)
    )
