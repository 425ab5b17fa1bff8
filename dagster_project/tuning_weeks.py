"""Which Mondays tuning looks at, so that no week that is reported is tuned on.

Belongs here: the hold-out, the last day of its truth, the Mondays before it. Does not: building or scoring them.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow.compute as pc

from dagster_project.home import Home
from dagster_project.inputs import ROUGH_MOMENT
from dagster_project.lake import NO_WEEK, Lake
from dagster_project.manifest import committed_weeks
from models_ml.errors import InputError

TEMPORAL: Final = "temporal"
RANDOM: Final = "random"
_REPORTS = "ml/evaluation_metrics"


@dataclass(frozen=True)
class Plan:
    """hold_out: temporal or random.  until: the Monday before which all truth lies.  window_weeks: of each truth.

    mondays: as-of Mondays of temporal truths, oldest first, their windows side by side and the last one's end at
    `until`; of a random hold-out `until`, once a draw.
    """

    hold_out: str
    until: dt.date
    window_weeks: int
    mondays: tuple[dt.date, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """What each of them is called."""
        if self.hold_out == TEMPORAL:
            return tuple(map(str, self.mondays))
        return tuple(f"{monday} draw {number}" for number, monday in enumerate(self.mondays, 1))

    def truth_monday(self, monday: dt.date) -> dt.date:
        """The Monday on which the window after an as-of Monday ends."""
        return monday + dt.timedelta(weeks=self.window_weeks)


def make_plan(
    home: Home, intake: Path, *, has_events: bool, hold_out: str, weeks: int, until: dt.date | None, window_weeks: int
) -> Plan:
    """The plan for a home. Raises InputError where it would look at weeks that are reported, or can't be made."""
    if weeks < 1:
        raise InputError(f"--weeks is {weeks}; at least one is needed")
    kind = hold_out if hold_out != "auto" else TEMPORAL if has_events else RANDOM
    if kind == TEMPORAL and not has_events:
        raise InputError(f"{home.landing}: no dated events, so nothing comes after a Monday; take --hold-out {RANDOM}")
    reported = reported_weeks(home)
    if until and reported and until > reported[0]:
        raise InputError(
            f"--until is {until}: lists of {reported[0]} were already reported, and settings tuned on what came after "
            f"would flatter them; take {reported[0]} or earlier"
        )
    last = until or _default_until(home, intake, reported, has_events, window_weeks)
    back = range(weeks, 0, -1)
    mondays = tuple(last - dt.timedelta(weeks=window_weeks * number) for number in back)
    return Plan(kind, last, window_weeks, mondays if kind == TEMPORAL else (last,) * weeks)


def reported_weeks(home: Home) -> list[dt.date]:
    """As-of Mondays whose lists evaluation has scored, oldest first."""
    lake, found = Lake(home.lake), set()
    for folder in (home.lake / _REPORTS).glob("week=*"):
        week = dt.date.fromisoformat(folder.name.removeprefix("week="))
        if week != NO_WEEK and lake.has_week(_REPORTS, week):
            found.update(pc.unique(lake.read_week(_REPORTS, week, ["as_of_week"])["as_of_week"]).to_pylist())
    return sorted(found)


def _default_until(home: Home, intake: Path, reported: list[dt.date], has_events: bool, window_weeks: int) -> dt.date:
    """The first week whose lists are, or will be, reported; with none yet, one window before the newest Monday."""
    first = min([*reported, *committed_weeks(home)], default=None)
    if first is not None:
        return first
    if has_events:
        return newest_monday(intake) - dt.timedelta(weeks=window_weeks)
    today = dt.datetime.now(dt.UTC).date()
    return today - dt.timedelta(days=today.weekday())


def newest_monday(intake: Path) -> dt.date:
    """The newest Monday before which events are there to the last day; moments yet to come don't count."""
    # An hour more or less, as an offset may bring, changes no week but that of a Sunday night.
    query = f"""
        select max(moment)
        from (
            select {ROUGH_MOMENT} as moment
            from read_parquet(?)
        )
        where moment < ?
    """
    tomorrow = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(days=1)
    with duckdb.connect() as connection:
        row = connection.execute(query, [str(intake / "events" / "*.parquet"), tomorrow]).fetchone()
    if row is None or row[0] is None:
        raise InputError(f"{intake}: no event has a time that can be read; say --until MONDAY")
    # A Sunday is the last day of its week: the Monday after it counts.
    day: dt.date = row[0].date() + dt.timedelta(days=1)
    return day - dt.timedelta(days=day.weekday())
