"""Thirty tracks by rules: the best that fit, and which soft rule gave way where a list could not be filled.

Belongs here: the soft rules, their order of giving way, the draw of all listeners at once slot by slot.
Does not: filters (they never give way), scores, the order heard (arrangement.py).
"""

import math
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.calibration import MixDraw, SlateMix
from models_ml.rules import NEW_ARTIST_SHARE, TRACKS_PER_ALBUM, TRACKS_PER_ARTIST

PLAYLIST_LENGTH = 30

# Most lists fill up within so many of their best candidates; comparing all of several hundred costs four times as much.
_ENTRIES_LOOKED_AT = 96


@dataclass(frozen=True)
class AssemblyParams:
    """The soft rules of a playlist."""

    tracks_per_artist: int = field(
        default=2,
        metadata={"unit": "tracks", "min": 1, "max": 30, "doc": "At most, by first-credited artist."},
    )
    tracks_per_album: int = field(
        default=2, metadata={"unit": "tracks", "min": 1, "max": 30, "doc": "At most, by album."}
    )
    new_artist_share: float = field(
        default=0.5,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "At least, by artists new to the listener.",
        },
    )
    new_release_slots: int = field(
        default=1,
        metadata={
            "unit": "tracks",
            "min": 0,
            "max": 30,
            "doc": "For the best of this month's releases that too few have heard to rank by listening.",
        },
    )
    new_release_genre_share: float = field(
        default=0.02,
        metadata={
            "unit": "share",
            "min": 0.0,
            "max": 1.0,
            "doc": "Of what the listener likes, at least, is of the genres of a new release that gets such a slot.",
        },
    )
    calibration_weight: float = field(
        # Three demo worlds, genre distance and nDCG of what was heard next, of those at 0: 0.4, .61 and .99; 0.8, .48
        # and .98.
        default=0.8,
        metadata={
            "unit": "score a nat",
            "min": 0.0,
            "max": 100.0,
            "doc": "What it is worth that a list's genres are nearer to those of what the listener likes.",
        },
    )
    deep_candidate_count: int = field(
        default=4000,
        metadata={
            "unit": "recordings",
            "min": 30,
            "max": 10**7,
            "doc": "Searched for a listener whose list can't be filled, before a soft rule gives way.",
        },
    )


@dataclass(frozen=True)
class Slate:
    """Candidates of b listeners, best first, padded to K.

    artist, album: (b, K) int32, album -1 where none.  is_new: (b, K) bool, by artists new to the listener.
    valid: (b, K) bool, False for padding.  mix: what calibration knows of them; None: the best by score are drawn.
    """

    artist: Ints
    album: Ints
    is_new: Bools
    valid: Bools
    mix: SlateMix | None = None

    def rows(self, chosen: Ints) -> "Slate":
        """The slate of some of the listeners."""
        mix = self.mix and self.mix.rows(chosen)
        return Slate(self.artist[chosen], self.album[chosen], self.is_new[chosen], self.valid[chosen], mix)

    def ordered(self, places: Ints) -> "Slate":
        """The slate with its entries in another order.  places: (b, K)."""
        return Slate(
            np.take_along_axis(self.artist, places, axis=1),
            np.take_along_axis(self.album, places, axis=1),
            np.take_along_axis(self.is_new, places, axis=1),
            np.take_along_axis(self.valid, places, axis=1),
            self.mix and self.mix.ordered(places),
        )

    def first(self, count: int) -> "Slate":
        """The slate's first entries."""
        entries = (self.artist[:, :count], self.album[:, :count], self.is_new[:, :count], self.valid[:, :count])
        return Slate(*entries, self.mix and self.mix.first(count))


@dataclass(frozen=True)
class Step:
    """One soft rule giving way by one step."""

    rule_id: str
    limit_from: float
    limit_to: float


@dataclass(frozen=True)
class Relaxations:
    """(r,) arrays, by listener and step: the listener's place, rule, step from 1, limit before and after."""

    rows: Ints
    rule_id: list[str]
    step: Ints
    limit_from: Floats
    limit_to: Floats


def ladder(params: AssemblyParams) -> list[Step]:
    """The order in which the soft rules give way: new artists first, then albums, then artists."""
    halved = [params.new_artist_share, params.new_artist_share / 2, 0.0]
    limits = {
        NEW_ARTIST_SHARE: halved if params.new_artist_share > 0 else [0.0],
        TRACKS_PER_ALBUM: _growing(params.tracks_per_album),
        TRACKS_PER_ARTIST: _growing(params.tracks_per_artist),
    }
    return [
        Step(rule, float(limit_from), float(limit_to))
        for rule, values in limits.items()
        for limit_from, limit_to in pairwise(values)
    ]


def _growing(limit: int) -> list[float]:
    """The limit, half as much again, and so on up to the whole list."""
    limits = [float(limit)]
    while limits[-1] < PLAYLIST_LENGTH:
        limits.append(float(min(PLAYLIST_LENGTH, math.ceil(limits[-1] * 1.5))))
    return limits


def draw(slate: Slate, params: AssemblyParams) -> Ints:
    """(b, 30) places in the slate: for each slot the best that fits the rules, -1 from where none does.

    Without a mix the best is the first, and places only rise from slot to slot: a list that is full within the first
    entries is the same whatever follows. With one, it is the entry worth most beside what was drawn before.
    """
    # A listener's rarer genres are far down.
    looked_at = _ENTRIES_LOOKED_AT if slate.mix is None else slate.artist.shape[1]
    picks = _draw_within(slate.first(looked_at), params)
    rest = np.flatnonzero(~is_full(picks))
    if slate.artist.shape[1] > looked_at and len(rest):
        picks[rest] = _draw_within(slate.rows(rest), params)
    return picks


def _draw_within(slate: Slate, params: AssemblyParams) -> Ints:
    """As draw, looking at every entry."""
    rows = np.arange(len(slate.artist))
    picks = np.full((len(rows), PLAYLIST_LENGTH), -1, dtype=np.int64)
    if not slate.artist.size:
        return picks
    mixed = MixDraw(slate.mix, PLAYLIST_LENGTH) if slate.mix else None
    open_to = slate.valid.copy()
    album = _own_album_where_none(slate.album)
    artist_used = np.zeros(slate.artist.shape, dtype=np.int8)
    album_used = np.zeros(slate.artist.shape, dtype=np.int8)
    known_left = np.full(len(rows), PLAYLIST_LENGTH - new_artists_needed(params.new_artist_share))
    open_to[known_left <= 0] &= slate.is_new[known_left <= 0]
    for slot in range(PLAYLIST_LENGTH):
        pick = (np.where(open_to, mixed.values(), -np.inf) if mixed else open_to).argmax(axis=1)
        found = open_to[rows, pick]
        picks[found, slot] = pick[found]
        open_to[rows, pick] = False
        if mixed:
            mixed.take(pick, found)
        artist_used += slate.artist == slate.artist[rows, pick][:, None]
        album_used += album == album[rows, pick][:, None]
        open_to &= (artist_used < params.tracks_per_artist) & (album_used < params.tracks_per_album)
        known_left -= found & ~slate.is_new[rows, pick]
        spent = np.flatnonzero(found & (known_left == 0))
        open_to[spent] &= slate.is_new[spent]
    return picks


def _own_album_where_none(album: Ints) -> Ints:
    """Tracks without an album get one of their own, below zero, so that they never count together."""
    return np.where(album >= 0, album, -1 - np.arange(album.shape[1]))


def new_artists_needed(share: float) -> int:
    """Tracks by new artists that a share asks for; rounded first, so that 0.1 of 30 is 3 and not 4."""
    return math.ceil(round(share * PLAYLIST_LENGTH, 9))


def is_full(picks: Ints) -> Bools:
    """(b,) True for lists of thirty."""
    return picks[:, -1] >= 0


def draw_giving_way(slate: Slate, params: AssemblyParams) -> tuple[Ints, Relaxations]:
    """(picks, relaxations): as draw, the rules giving way step by step for lists that can't be filled.

    A step is recorded for a list only where the list that came out breaks the limit it lifted.
    """
    picks = draw(slate, params)
    steps = ladder(params)
    taken = np.zeros(len(picks), dtype=np.int64)
    limits = params
    for number, step in enumerate(steps, start=1):
        unfilled = np.flatnonzero(~is_full(picks) & (slate.valid.sum(axis=1) >= PLAYLIST_LENGTH))
        if not len(unfilled):
            break
        limits = _with_limit(limits, step)
        taken[unfilled] = number
        picks[unfilled] = draw(slate.rows(unfilled), limits)
    return picks, _recorded(slate, picks, steps, taken)


def _with_limit(params: AssemblyParams, step: Step) -> AssemblyParams:
    if step.rule_id == NEW_ARTIST_SHARE:
        return replace(params, new_artist_share=step.limit_to)
    if step.rule_id == TRACKS_PER_ALBUM:
        return replace(params, tracks_per_album=int(step.limit_to))
    return replace(params, tracks_per_artist=int(step.limit_to))


def _recorded(slate: Slate, picks: Ints, steps: list[Step], taken: Ints) -> Relaxations:
    """The steps that each list needed, numbered from 1 for each."""
    usage = usage_of(slate, picks)
    needed = np.zeros((len(picks), len(steps)), dtype=bool)
    for number, step in enumerate(steps):
        if step.rule_id == NEW_ARTIST_SHARE:
            broken = usage[step.rule_id] < new_artists_needed(step.limit_from)
        else:
            broken = usage[step.rule_id] > step.limit_from
        needed[:, number] = broken & (taken > number)
    rows, places = np.nonzero(needed)
    return Relaxations(
        rows=rows,
        rule_id=[steps[place].rule_id for place in places],
        step=np.cumsum(needed, axis=1)[rows, places],
        limit_from=np.array([step.limit_from for step in steps])[places],
        limit_to=np.array([step.limit_to for step in steps])[places],
    )


def usage_of(slate: Slate, picks: Ints) -> dict[str, Ints]:
    """(b,) for each soft rule: tracks by new artists, most tracks of an album, most tracks of an artist."""
    place = np.maximum(picks, 0)
    used = picks >= 0
    if not slate.artist.size:
        nothing = np.zeros(len(picks), dtype=np.int64)
        return {NEW_ARTIST_SHARE: nothing, TRACKS_PER_ALBUM: nothing, TRACKS_PER_ARTIST: nothing}
    album = np.take_along_axis(_own_album_where_none(slate.album), place, axis=1)
    artist = np.take_along_axis(slate.artist, place, axis=1)
    return {
        NEW_ARTIST_SHARE: (np.take_along_axis(slate.is_new, place, axis=1) & used).sum(axis=1),
        TRACKS_PER_ALBUM: _most_repeated(album, used),
        TRACKS_PER_ARTIST: _most_repeated(artist, used),
    }


def _most_repeated(values: Ints, used: Bools) -> Ints:
    """(b,) how often the most frequent value of each row stands there."""
    same = (values[:, :, None] == values[:, None, :]) & used[:, :, None] & used[:, None, :]
    return np.asarray(same.sum(axis=2).max(axis=1))
