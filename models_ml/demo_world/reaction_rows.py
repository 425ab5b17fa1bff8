"""Reactions to playlists as rows of the landing datasets `events` and `subscriptions`, and the truth about them.

Belongs here: moments of what happened, the contract's columns.
Does not: what happened (reactions.py), files (reaction_files.py).
"""

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models_ml.demo_world.catalogue_tables import moments, texts
from models_ml.demo_world.draws import Bools, Ints, Objects, Random, choose
from models_ml.demo_world.event_rows import EVENT_SCHEMA
from models_ml.demo_world.ids import joined, numbered
from models_ml.demo_world.listeners import PROFILES
from models_ml.demo_world.outcomes import FINISHED, SKIPPED
from models_ml.demo_world.reactions import Reactions
from models_ml.demo_world.sessions import DEVICES, hour_profiles
from models_ml.demo_world.size import WEEK_MS, days_since_epoch

LIST_CONTEXT, COMEBACK_CONTEXT = "playlist", "collection"
CANCELLATION_SCHEMA = pa.schema(
    [("user_id", pa.string()), ("event", pa.string()), ("occurred_at", EVENT_SCHEMA.field("occurred_at").type)]
)
_END_NAMES = np.array(["finished", "skipped", "closed"], dtype=object)
_END_REASONS = np.array(["trackdone", "fwdbtn", "appclose"], dtype=object)
_HOUR_MS, _MINUTE_MS = 3_600_000, 60_000
_DAY_MS = 24 * _HOUR_MS


@dataclass(frozen=True)
class Given:
    """The lists of a chunk as they were given.

    week: their Monday.  listener: (lists,) position in the truth.  user_id, playlist_id: (lists,) texts.
    available_ms: (lists,) UTC.  track: (lists, places) position in the truth.  track_id: (tracks,) texts of all tracks.
    """

    week: dt.date
    listener: Ints
    user_id: pa.Array
    playlist_id: pa.Array
    available_ms: Ints
    track: Ints
    track_id: pa.Array

    @property
    def start_ms(self) -> int:
        """The first moment of the week, UTC."""
        return days_since_epoch(self.week) * _DAY_MS

    @property
    def end_ms(self) -> int:
        """The first moment of the next week."""
        return self.start_ms + WEEK_MS


@dataclass(frozen=True)
class Liked:
    """Tracks that listeners saved or liked in a list; arrays of (tracks,).

    listener, track: positions in the truth.  duration_ms: of the track.  since_ms: when it was said, UTC.
    """

    listener: Ints
    track: Ints
    duration_ms: Ints
    since_ms: Ints


@dataclass(frozen=True)
class Timed:
    """When reactions happened; (lists, places) milliseconds since 1970, UTC.

    begin_ms: of the play.  said_ms: of a save or like.  happened: reached, and over before the week is.
    """

    begin_ms: Ints
    said_ms: Ints
    happened: Bools


def draw_times(random: Random, given: Given, reactions: Reactions) -> Timed:
    """A sitting in the listener's own week, at an hour of theirs; one track after the other."""
    hours = hour_profiles()
    hour = np.zeros(len(given.listener), dtype=np.int64)
    for profile in range(PROFILES):
        rows = np.flatnonzero(given.listener % PROFILES == profile)
        hour[rows] = choose(random, hours[profile], len(rows))
    # Nobody opens a list before it is published.
    since = np.maximum(given.available_ms, given.start_ms + 10 * _MINUTE_MS)
    start = since + hour * _HOUR_MS + random.integers(0, _HOUR_MS, len(hour))
    start = since + (start - since) % (given.end_ms - since)
    lasting = reactions.ms_played + random.integers(200, 2_500, reactions.end.shape)
    begin = start[:, None] + np.cumsum(lasting, axis=1) - lasting
    said = begin + (random.random(begin.shape) * reactions.ms_played).astype(np.int64)
    return Timed(begin, said, reactions.reached & (begin + reactions.ms_played < given.end_ms))


def list_events(given: Given, reactions: Reactions, timed: Timed) -> pa.Table:
    """An impression and a play of every slot reached, and what was said about it; in no order, without event_id."""
    tables = []
    for kind, rows, when in (
        ("impression", timed.happened, timed.begin_ms),
        ("play", timed.happened, timed.begin_ms),
        ("save", timed.happened & reactions.saved, timed.said_ms),
        ("like", timed.happened & reactions.liked, timed.said_ms),
    ):
        lists, places = np.nonzero(rows)
        end = reactions.end[lists, places]
        played = pa.array(reactions.ms_played[lists, places], mask=np.full(len(lists), kind != "play"))
        own = {
            "user_id": given.user_id.take(pa.array(lists)),
            "context_id": given.playlist_id.take(pa.array(lists)),
            "position": pa.array((places + 1).astype(np.int32)),
            "ms_played": played,
            **(_reasons(_starts(reactions.end, lists, places), end) if kind == "play" else {}),
        }
        number = given.listener[lists]
        track = given.track_id.take(pa.array(given.track[lists, places]))
        tables.append(_events(kind, given.week, number, track, when[lists, places], LIST_CONTEXT, own))
    return pa.concat_tables(tables)


def _starts(end: Ints, lists: Ints, places: Ints) -> Objects:
    """How each play began: by a click at the first place, else by how the one before it ended."""
    before = end[lists, np.maximum(places - 1, 0)]
    return np.where(places == 0, "playbtn", np.where(before == SKIPPED, "fwdbtn", "trackdone")).astype(object)


def _reasons(starts: Objects, end: Ints) -> dict[str, pa.Array]:
    return {
        "reason_start": texts(starts),
        "reason_end": texts(_END_REASONS[end]),
        "shuffle": pa.array(np.zeros(len(end), dtype=bool)),
    }


def comeback_events(random: Random, given: Given, users: pa.Array, liked: Liked, times: Ints) -> pa.Table:
    """Plays of one's own accord, any time in the week after it was liked; users: (listeners of the truth,) texts."""
    rows = np.repeat(np.arange(len(times)), times)
    since = np.maximum(liked.since_ms[rows] + _HOUR_MS, given.start_ms)
    when = since + (random.random(len(rows)) * (given.end_ms - since)).astype(np.int64)
    happened = (since < given.end_ms) & (when + liked.duration_ms[rows] < given.end_ms)
    rows, when = rows[happened], when[happened]
    end = np.full(len(rows), FINISHED)
    own = {
        "user_id": users.take(pa.array(liked.listener[rows])),
        "ms_played": pa.array(liked.duration_ms[rows]),
        **_reasons(np.full(len(rows), "clickrow", dtype=object), end),
    }
    track = given.track_id.take(pa.array(liked.track[rows]))
    return _events("play", given.week, liked.listener[rows], track, when, COMEBACK_CONTEXT, own)


def _events(
    kind: str, week: dt.date, number: Ints, track_id: pa.Array, when: Ints, context: str, own: dict[str, pa.Array]
) -> pa.Table:
    """Rows of one kind; what `own` doesn't give and every event has is the same for all, or null."""
    count = len(when)

    def same(value: str) -> pa.Array:
        return pa.array(np.full(count, value, dtype=object), pa.string())

    columns = {
        "event_type": same(kind),
        "occurred_at": moments(when),
        "track_id": track_id,
        "is_private": pa.array(np.zeros(count, dtype=bool)),
        "context_type": same(context),
        "session_id": joined("-", pa.scalar(f"r{week:%Y%m%d}{context[0]}"), numbered("", number, 8)),
        "device_type": pa.array(DEVICES, pa.string()).take(pa.array(number % len(DEVICES))),
        "source": same("app"),
        **own,
    }
    return pa.table(
        [columns.get(field.name, pa.nulls(count, field.type)) for field in EVENT_SCHEMA], schema=EVENT_SCHEMA
    )


def numbered_by_time(events: pa.Table, week: dt.date, chunk: int) -> pa.Table:
    """The events in order of moment, each with an id of its own."""
    when = events["occurred_at"].cast(pa.int64()).to_numpy()
    events = events.take(pa.array(np.argsort(when, kind="stable")))
    ids = joined("-", pa.scalar(f"rx{week:%Y%m%d}-{chunk:05d}"), numbered("", np.arange(len(events)), 7))
    return events.set_column(EVENT_SCHEMA.get_field_index("event_id"), "event_id", ids)


def cancellations(given: Given, reactions: Reactions) -> pa.Table:
    """`subscriptions`: those who leave, on the last day of the week."""
    rows = np.flatnonzero(reactions.leaves)
    when = given.end_ms - _DAY_MS + given.listener[rows] % 1_000 * _MINUTE_MS
    return pa.table(
        [given.user_id.take(pa.array(rows)), pa.array(["cancel"] * len(rows), pa.string()), moments(when)],
        schema=CANCELLATION_SCHEMA,
    )


def slot_truth(given: Given, reactions: Reactions, timed: Timed) -> pa.Table:
    """One row per slot that was reached: how it fitted and what became of it; not for landing."""
    lists, places = np.nonzero(timed.happened)
    return pa.table(
        {
            "user_id": given.user_id.take(pa.array(lists)),
            "position": pa.array((places + 1).astype(np.int32)),
            "track_id": given.track_id.take(pa.array(given.track[lists, places])),
            "fit": pa.array(reactions.fit[lists, places]),
            "delight": pa.array(reactions.delight[lists, places]),
            "end": texts(_END_NAMES[reactions.end[lists, places]]),
            "saved": pa.array(reactions.saved[lists, places]),
            "liked": pa.array(reactions.liked[lists, places]),
            "said_at": moments(timed.said_ms[lists, places]),
        }
    )
