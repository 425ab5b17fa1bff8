"""How big a demo world is and which weeks it spans.

Belongs here: counts of listeners and tracks, the Mondays, the bounds of the history.
Does not: how listeners behave (params.py), anything drawn at random.
"""

import datetime as dt
from dataclasses import dataclass

from models_ml.errors import InputError

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
# Every genre needs a few artists, and every artist a few tracks, for taste to mean anything.
MINIMUM_TRACKS = 480
# Releases are announced this long ahead; the as-of rule has to hide them.
WEEKS_AHEAD = 3

_SMALL_WORLD = 5_000
_EPOCH = dt.date(1970, 1, 1)


def default_track_count(listeners: int) -> int:
    """Tracks of a world: 4,000 for a small one, else a tenth of the listeners, and 20,000 at least."""
    return 4_000 if listeners < _SMALL_WORLD else max(20_000, listeners // 10)


def default_sound(listeners: int) -> bool:
    """Whether tracks have sound files: in a small world. A file takes about 10 ms of a core and 120 kB."""
    return listeners < _SMALL_WORLD


def days_since_epoch(day: dt.date) -> int:
    """Days from 1970-01-01."""
    return (day - _EPOCH).days


@dataclass(frozen=True)
class WorldSize:
    """Size and span of a world.

    listeners: people, all kinds together.  tracks: recordings and their other editions, fewer where too few
    recordings are old enough to have another edition; None takes default_track_count.  weeks: Mondays that
    will be run, the last ones.  last_week: the last of them; no event occurs on it or later.
    history_weeks: weeks of listening before it.  sound: whether tracks have sound files; None takes default_sound.
    Raises InputError where a number is impossible or last_week is no Monday.
    """

    listeners: int
    last_week: dt.date
    tracks: int | None = None
    weeks: int = 3
    history_weeks: int = 26
    sound: bool | None = None

    def __post_init__(self) -> None:
        _require("listeners", self.listeners, 1, 100_000_000)
        _require("tracks", self.track_count, MINIMUM_TRACKS, 10_000_000)
        _require("history_weeks", self.history_weeks, 1, 520)
        _require("weeks", self.weeks, 1, self.history_weeks)
        if self.last_week.weekday() != 0:
            raise InputError(f"demo world: last_week is {self.last_week}, which is no Monday; take one")

    @property
    def track_count(self) -> int:
        """Tracks, editions included."""
        return default_track_count(self.listeners) if self.tracks is None else self.tracks

    @property
    def has_sound(self) -> bool:
        """Whether tracks have sound files."""
        return default_sound(self.listeners) if self.sound is None else self.sound

    @property
    def mondays(self) -> tuple[dt.date, ...]:
        """The weeks to be run, oldest first."""
        return tuple(self.last_week - dt.timedelta(weeks=back) for back in range(self.weeks - 1, -1, -1))

    @property
    def first_day(self) -> dt.date:
        """The first day of the history, a Monday."""
        return self.last_week - dt.timedelta(weeks=self.history_weeks)

    @property
    def start_ms(self) -> int:
        """The first moment of the history, milliseconds since 1970, UTC."""
        return days_since_epoch(self.first_day) * DAY_MS

    @property
    def end_ms(self) -> int:
        """The moment before which everything known at last_week happens, milliseconds since 1970, UTC."""
        return days_since_epoch(self.last_week) * DAY_MS


def _require(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InputError(f"demo world: {name} is {value}; take {least} to {most}")
