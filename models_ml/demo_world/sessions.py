"""Sittings of listeners: when they begin, how long they are, in what spirit, on which device.

Belongs here: the calendar of listening, local hours, keeping sittings apart.
Does not: which tracks are played (choices.py), how plays end (outcomes.py).
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.draws import (
    Bools,
    Floats,
    Ints,
    Random,
    choose,
    choose_each,
    segment_starts,
)
from models_ml.demo_world.genres import zone_offsets_ms
from models_ml.demo_world.listeners import (
    AT_END,
    AT_START,
    NEXT_DOOR,
    PROFILES,
    REGISTERED_ONLY,
    Listeners,
)
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.size import DAY_MS, WEEK_MS, WorldSize

DEVICES = np.array(["mobile", "desktop", "speaker", "web", "car"], dtype=object)
_DEVICE_WEIGHTS = np.array([10, 5, 3, 2, 1])
_BREAK_MS = 10 * 60_000
_HOUR_MS = 3_600_000
# Share of plays that come to nothing: the same track twice in a row, one that can't be played there. Measured
# with the default parameters, 20,000 listeners.
_LOST = 0.09


@dataclass(frozen=True)
class Sessions:
    """Sittings sorted by listener and start; arrays of (sessions,).

    listener: position in the chunk.  start_ms: UTC.  length: plays.  mode, point: which of the listener's
    tastes it follows.  device: position in DEVICES.  private, shuffle: how it is played.
    contexts: (sessions, 2) uniform numbers that settle where first plays and replays come from.
    """

    listener: Ints
    start_ms: Ints
    length: Ints
    mode: Ints
    point: Ints
    device: Ints
    private: Bools
    shuffle: Bools
    contexts: Floats

    def __len__(self) -> int:
        return len(self.listener)


def hour_profiles() -> Floats:
    """(PROFILES, 168) how likely each hour of a local week is: commuters, office, evenings, night owls."""
    hour = np.arange(24)
    shapes = (
        _hump(hour, 7.5, 1.2) + 1.2 * _hump(hour, 17.5, 1.5) + 0.3 * _hump(hour, 21, 2),
        _hump(hour, 10.5, 2) + _hump(hour, 15, 2) + 0.3 * _hump(hour, 20, 2),
        0.2 * _hump(hour, 8, 1.5) + 1.3 * _hump(hour, 20, 2.2),
        0.4 * _hump(hour, 15, 3) + _hump(hour, 23, 2.2),
    )
    weekend = 0.5 * _hump(hour, 12, 3) + 0.9 * _hump(hour, 20, 3)
    rows = [np.concatenate([np.tile(shape + 0.02, 5), np.tile(0.5 * shape + weekend + 0.02, 2)]) for shape in shapes]
    return np.array([row / row.sum() for row in rows])


def _hump(hour: Ints, peak: float, width: float) -> Floats:
    distance = np.minimum(np.abs(hour - peak), 24 - np.abs(hour - peak))
    shares: Floats = np.exp(-0.5 * (distance / width) ** 2)
    return shares


def draw_sessions(random: Random, listeners: Listeners, size: WorldSize, params: WorldParams) -> Sessions:
    """Sittings of a chunk of listeners, within the history and after each one's registration."""
    mean = params.plays_per_session_mean
    active = listeners.kind != REGISTERED_ONLY
    counts = np.where(active, np.maximum(1, random.poisson(listeners.plays / mean / (1 - _LOST))), 0)
    listener = np.repeat(np.arange(len(listeners)), counts)
    start_ms = _starts(random, listeners, listener, size)
    # Those who play little don't sit down for long either.
    typical = np.minimum(mean, listeners.plays[listener])
    length = random.geometric(1.0 / np.maximum(typical, 1.0))
    fraction = (start_ms - size.start_ms) / (size.end_ms - size.start_ms)
    weights = listeners.mode_weight[listener]
    mode = choose_each(random, weights[:, :, 0] * (1 - fraction[:, None]) + weights[:, :, 1] * fraction[:, None])
    point = np.where(random.random(len(listener)) < fraction, AT_END, AT_START)
    away = random.random(len(listener)) < 2.5 * params.exploration_share * listeners.adventurousness[listener]
    usual_device = choose(random, _DEVICE_WEIGHTS, len(listeners))[listener]
    other_device = choose(random, _DEVICE_WEIGHTS, len(listener))
    sessions = Sessions(
        listener=listener,
        start_ms=start_ms,
        length=length,
        mode=mode,
        point=np.where(away, NEXT_DOOR, point),
        device=np.where(random.random(len(listener)) < 0.8, usual_device, other_device),
        private=random.random(len(listener)) < params.private_share,
        shuffle=random.random(len(listener)) < 0.35,
        contexts=random.random((len(listener), 2)),
    )
    known = np.maximum(listeners.registered_ms[listener], size.start_ms) <= start_ms
    return _picked(sessions, np.flatnonzero(known & (start_ms < size.end_ms)))


def _picked(sessions: Sessions, rows: Ints) -> Sessions:
    """Sessions of these rows, sorted by listener and start."""
    rows = rows[np.lexsort((sessions.start_ms[rows], sessions.listener[rows]))]
    return Sessions(**{field.name: getattr(sessions, field.name)[rows] for field in dataclasses.fields(sessions)})


def _starts(random: Random, listeners: Listeners, listener: Ints, size: WorldSize) -> Ints:
    """(sessions,) UTC: a week in which the listener is there, an hour of their own week, a moment in it."""
    here = np.maximum(listeners.registered_ms[listener], size.start_ms)
    first_week = (here - size.start_ms) // WEEK_MS
    week = first_week + (random.random(len(listener)) * (size.history_weeks - first_week)).astype(np.int64)
    profiles = hour_profiles()
    hour = np.zeros(len(listener), dtype=np.int64)
    for profile in range(PROFILES):
        rows = np.flatnonzero(listeners.profile[listener] == profile)
        hour[rows] = choose(random, profiles[profile], len(rows))
    local = week * WEEK_MS + hour * _HOUR_MS + random.integers(0, _HOUR_MS, len(listener))
    offsets = zone_offsets_ms(size.first_day, size.history_weeks * 7)
    # The hours before the first Monday in one zone and after the last one in another wrap round.
    utc = local - offsets[listeners.zone[listener], local // DAY_MS]
    starts: Ints = size.start_ms + utc % (size.history_weeks * WEEK_MS)
    return starts


def apart(sessions: Sessions, lasting_ms: Ints) -> Ints:
    """Starts (sessions,) such that no sitting begins before the listener's last one has ended.

    Nothing moves that doesn't have to: start_i = max over j <= i of start_j + everything that lies between.
    """
    room = lasting_ms + _BREAK_MS
    before = np.cumsum(room) - room
    # A raise by more than any start a listener can have keeps listeners from pushing each other.
    raised = np.cumsum(segment_starts(sessions.listener)) * np.int64(10**14)
    starts: Ints = np.maximum.accumulate(raised + sessions.start_ms - before) + before - raised
    return starts
