"""A week's lists against those of the week before: has something moved that moves slowly?

Belongs here: the few numbers that a week of lists is known by, how far they may move, which did.
Does not: whether settings changed, what happens then (dagster_project/checks_gate.py).

A comparison tells what a change of settings does. This tells what nobody changed: a feed that broke, a catalogue that
was landed without genres, a model that went astray.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.comparison.lists import POPULARITY
from models_ml.evaluation.beyond_accuracy import GENRE_KL, NEW_ARTIST_SHARE

LISTS: Final = "lists"
RECORDINGS: Final = "recordings_given"
RELAXED_SHARE: Final = "relaxed_share"
PREDICTED_SKIP: Final = "p_skip"
STILL, MOVED, TOO_FAR = "still", "moved", "too far"


@dataclass(frozen=True)
class WeeklyParams:
    """How far a week's lists may be from the week before's."""

    weekly_fewest_lists: int = field(
        # In worlds of 20 and 40 listeners, with nothing wrong, genre_kl rose by 0.74 and popularity fell by 0.24 in a
        # week; in the demo world of 1,500 by no more than 0.06 nats and 0.09, and the chance of a skip rose by 0.08.
        default=100,
        metadata={"unit": "lists", "min": 0, "max": 10**9, "doc": "With fewer, in either week, nothing is held up"},
    )
    weekly_warn_share: float = field(
        default=0.5,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "Of each limit below, from which a person is told"},
    )
    weekly_lists_loss: float = field(
        default=0.5,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "Fewer listeners with a list than the week before"},
    )
    weekly_recordings_loss: float = field(
        default=0.6,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "Fewer recordings given to anyone"},
    )
    weekly_popularity_shift: float = field(
        default=0.2,
        metadata={"unit": "percentile", "min": 0.0, "max": 1.0, "doc": "Of lists' mean popularity, either way"},
    )
    weekly_genre_kl_rise: float = field(
        default=1.0,
        metadata={"unit": "nats", "min": 0.0, "max": 100.0, "doc": "Of lists' mean distance from listeners' genres"},
    )
    weekly_new_artist_shift: float = field(
        default=0.4,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of slots by artists new to the listener, either way",
        },
    )
    weekly_relaxed_rise: float = field(
        default=0.5,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "Of lists for which a rule gave way"},
    )
    weekly_skip_rise: float = field(
        default=0.2,
        metadata={"unit": "chance", "min": 0.0, "max": 1.0, "doc": "Of the mean chance of a skip that is foretold"},
    )


@dataclass(frozen=True)
class Move:
    """One number of two weeks.  limit: how far it may move; share: how much of that it did, 0 the other way."""

    name: str
    before: float | None
    now: float | None
    limit: float
    share: float

    def state(self, warn_share: float) -> str:
        """Whether it stayed, moved, or moved too far."""
        if self.share > 1.0:
            return TOO_FAR
        return MOVED if self.share > warn_share else STILL


def week_numbers(playlists: pa.Table, slots: pa.Table) -> dict[str, float | None]:
    """What a week of lists is known by; None where nobody has the value.

    playlists: status, genre_kl, a row a list.  slots: recording_id, popularity_percentile, is_new_artist, p_skip.
    """
    return {
        LISTS: float(playlists.num_rows),
        RECORDINGS: float(pc.count_distinct(slots["recording_id"]).as_py()),
        POPULARITY: pc.mean(slots["popularity_percentile"]).as_py(),
        GENRE_KL: pc.mean(playlists["genre_kl"]).as_py(),
        NEW_ARTIST_SHARE: pc.mean(slots["is_new_artist"].cast(pa.float64())).as_py(),
        RELAXED_SHARE: pc.mean(pc.not_equal(playlists["status"], "complete").cast(pa.float64())).as_py(),
        PREDICTED_SKIP: pc.mean(slots["p_skip"].cast(pa.float64())).as_py(),
    }


def moves(before: dict[str, float | None], now: dict[str, float | None], params: WeeklyParams) -> list[Move]:
    """How far each number moved, of what it may."""
    return list(_moves(before, now, params))


def _moves(before: dict[str, float | None], now: dict[str, float | None], params: WeeklyParams) -> Iterator[Move]:
    # +1: only a rise counts, -1: only a fall, in shares of what it was; 0: either way.
    for name, limit, way in (
        (LISTS, params.weekly_lists_loss, -1),
        (RECORDINGS, params.weekly_recordings_loss, -1),
        (POPULARITY, params.weekly_popularity_shift, 0),
        (GENRE_KL, params.weekly_genre_kl_rise, 1),
        (NEW_ARTIST_SHARE, params.weekly_new_artist_shift, 0),
        (RELAXED_SHARE, params.weekly_relaxed_rise, 1),
        (PREDICTED_SKIP, params.weekly_skip_rise, 1),
    ):
        yield Move(name, before[name], now[name], limit, _share(before[name], now[name], limit, way))


def _share(before: float | None, now: float | None, limit: float, way: int) -> float:
    if before is None or now is None:
        return 0.0
    moved = now - before
    if way == -1:
        moved = -moved / before if before else 0.0
    far = abs(moved) if way == 0 else max(moved, 0.0)
    if far == 0.0:
        return 0.0
    return far / limit if limit else float(np.inf)
