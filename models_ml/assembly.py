"""Thirty tracks by rules: the best that fit, or what chance gives of them.

Belongs here: the soft rules, the draw of all listeners at once slot by slot.
Does not: filters (they never give way), which soft rule gives way (giving_way.py), scores, the order heard
(arrangement.py).
"""

import math
from dataclasses import dataclass, field, fields

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.calibration import MixDraw, SlateMix
from models_ml.exploration.lots import Drawn, Lots, by_arm, by_softmax

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
    popularity_calibration_weight: float = field(
        # One demo world, popularity distance and nDCG of those at 0: 0.2, .67 and 1.003; 0.4, .55 and .991. Recordings
        # of the tail have .346, .317 and .300 of the slots: more weight takes more from them.
        default=0.2,
        metadata={
            "unit": "score a nat",
            "min": 0.0,
            "max": 100.0,
            "doc": "What it is worth that a list's tracks are as popular as what the listener likes; 0: only measured.",
        },
    )
    popularity_middle_from: float = field(
        default=0.5,
        metadata={
            "unit": "percentile",
            "min": 0.0,
            "max": 1.0,
            "doc": "Recordings below are the tail, by listeners.",
        },
    )
    popularity_head_from: float = field(
        default=0.9,
        metadata={"unit": "percentile", "min": 0.0, "max": 1.0, "doc": "Recordings from here on are the head."},
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

    def __post_init__(self) -> None:
        if self.popularity_middle_from > self.popularity_head_from:
            edges = f"popularity_middle_from is {self.popularity_middle_from:g}, above popularity_head_from"
            raise ValueError(f"{edges}, {self.popularity_head_from:g}")


@dataclass(frozen=True)
class Slate:
    """Candidates of b listeners, best first, padded to K.

    artist, album: (b, K) int32, album -1 where none.  is_new: (b, K) bool, by artists new to the listener.
    valid: (b, K) bool, False for padding.  mix: what calibration knows of them; None: the best by score are drawn.
    lots: what chance decides; None: nothing.
    """

    artist: Ints
    album: Ints
    is_new: Bools
    valid: Bools
    mix: SlateMix | None = None
    lots: Lots | None = None

    def rows(self, chosen: Ints) -> "Slate":
        """The slate of some of the listeners."""
        entries = (self.artist[chosen], self.album[chosen], self.is_new[chosen], self.valid[chosen])
        return Slate(*entries, self.mix and self.mix.rows(chosen), self.lots and self.lots.rows(chosen))

    def ordered(self, places: Ints) -> "Slate":
        """The slate with its entries in another order.  places: (b, K)."""
        return Slate(
            np.take_along_axis(self.artist, places, axis=1),
            np.take_along_axis(self.album, places, axis=1),
            np.take_along_axis(self.is_new, places, axis=1),
            np.take_along_axis(self.valid, places, axis=1),
            self.mix and self.mix.ordered(places),
            self.lots and self.lots.ordered(places),
        )

    def first(self, count: int) -> "Slate":
        """The slate's first entries, of which nothing is left to chance."""
        entries = (self.artist[:, :count], self.album[:, :count], self.is_new[:, :count], self.valid[:, :count])
        return Slate(*entries, self.mix and self.mix.first(count))


@dataclass(frozen=True)
class Draws:
    """What was drawn for each slot of b lists, (b, 30) arrays in the order of the draws.

    picks: place in the slate, -1 from where nothing fits.  number: of the draw, from 1.
    arm: -1 where it was no explore draw.  p_arm: NaN there.  p_track: chance of the pick given the draws before it, 1
    where it was the best.  feasible_count: of how many it was drawn, -1 where chance had no part.
    open_arms: int64, bit a set for each arm that had a track left, 0 where it was no explore draw.
    is_exact: False where the list was filled in another way than it was first drawn, but for what chance had drawn.
    """

    picks: Ints
    number: Ints
    arm: Ints
    p_arm: Floats
    p_track: Floats
    feasible_count: Ints
    open_arms: Ints
    is_exact: Bools

    @classmethod
    def none(cls, count: int) -> "Draws":
        """Nothing drawn yet of so many lists."""
        shape = (count, PLAYLIST_LENGTH)
        number = np.tile(np.arange(1, PLAYLIST_LENGTH + 1, dtype=np.int8), (count, 1))
        nothing = (np.full(shape, -1, dtype=np.int8), np.full(shape, np.nan), np.ones(shape))
        counts = (np.full(shape, -1), np.zeros(shape, dtype=np.int64))
        return cls(np.full(shape, -1), number, *nothing, *counts, np.ones(shape, dtype=bool))

    @property
    def by_chance(self) -> Bools:
        """(b, 30) True where chance decided."""
        return self.feasible_count >= 0

    def rows(self, chosen: Ints) -> "Draws":
        """Of some of the lists."""
        return Draws(*(getattr(self, part.name)[chosen] for part in fields(Draws)))

    def ordered(self, order: Ints) -> "Draws":
        """In another order.  order: (b, 30)."""
        return Draws(*(np.take_along_axis(getattr(self, part.name), order, axis=1) for part in fields(Draws)))

    def by_place(self) -> "Draws":
        """In the order of the places in the slate, -1 at the end."""
        last = np.iinfo(self.picks.dtype).max
        return self.ordered(np.where(self.picks >= 0, self.picks, last).argsort(axis=1, kind="stable"))

    def put(self, rows: Ints, others: "Draws") -> None:
        """Exchange some of the lists."""
        for part in fields(Draws):
            getattr(self, part.name)[rows] = getattr(others, part.name)

    def record(self, slot: int, rows: Ints, drawn: Drawn) -> None:
        """One draw by chance of some of the lists."""
        self.picks[rows, slot], self.arm[rows, slot] = drawn.entry, drawn.arm
        self.p_arm[rows, slot], self.p_track[rows, slot] = drawn.p_arm, drawn.p_track
        self.feasible_count[rows, slot], self.open_arms[rows, slot] = drawn.feasible_count, drawn.open_arms

    def repaired(self) -> "Draws":
        """What chance drew, as it was; every other slot empty, to be filled in another way."""
        picks, number = np.where(self.by_chance, self.picks, -1), self.number.copy()
        chances = (self.arm.copy(), self.p_arm.copy(), self.p_track.copy(), self.feasible_count.copy())
        return Draws(picks, number, *chances, self.open_arms.copy(), self.by_chance.copy())


def draw(slate: Slate, params: AssemblyParams, kept: Draws | None = None) -> Draws:
    """For each slot what was drawn of the slate: by chance where it says so, else the best that fits the rules.

    kept: what an earlier draw of the same lists left to chance, which stays; nothing more is left to chance then.
    Without a mix the best is the first, and places only rise from slot to slot: a list that is full within the first
    entries is the same whatever follows. With one, it is the entry worth most beside what was drawn before.
    """
    if kept is not None or slate.lots is not None or slate.mix is not None:
        # A listener's rarer genres are far down, and what is left to chance may lie anywhere.
        return _draw_within(slate, params, kept)
    draws = _draw_within(slate.first(_ENTRIES_LOOKED_AT), params)
    rest = np.flatnonzero(~is_full(draws.picks))
    if slate.artist.shape[1] > _ENTRIES_LOOKED_AT and len(rest):
        draws.put(rest, _draw_within(slate.rows(rest), params))
    return draws


def _draw_within(slate: Slate, params: AssemblyParams, kept: Draws | None = None) -> Draws:
    """As draw, looking at every entry."""
    draws = Draws.none(len(slate.artist)) if kept is None else kept.repaired()
    if not slate.artist.size:
        return draws
    rules = _OpenEntries(slate, params)
    mixed = MixDraw(slate.mix, PLAYLIST_LENGTH) if slate.mix else None
    rows = np.arange(len(slate.artist))
    for slot in range(PLAYLIST_LENGTH):
        value = mixed.values() if mixed else None
        best = (rules.open_to if value is None else np.where(rules.open_to, value, -np.inf)).argmax(axis=1)
        if kept is None and slate.lots is not None:
            _leave_to_chance(slate.lots, slate.is_new, rules.open_to, value, slot, draws)
        settled = draws.picks[:, slot] >= 0
        pick = np.where(settled, draws.picks[:, slot], best)
        found = settled | rules.open_to[rows, pick]
        draws.picks[found, slot] = pick[found]
        if mixed:
            mixed.take(pick, found)
        rules.take(pick, found)
    return draws


def _leave_to_chance(lots: Lots, is_new: Bools, open_to: Bools, value: Floats | None, slot: int, draws: Draws) -> None:
    """Draw this slot of the lists where chance decides it.  value: (b, K) with a mix."""
    possible = open_to.any(axis=1)
    explores = slot < lots.explore_draws
    exploring = np.flatnonzero(possible & explores)
    if len(exploring):
        everyone = len(exploring) == len(open_to)
        theirs, open_to_arms = (lots, open_to) if everyone else (lots.rows(exploring), open_to[exploring])
        unmet = open_to_arms & is_new[exploring]
        narrowed = theirs.only_new & unmet.any(axis=1)
        draws.record(slot, exploring, by_arm(theirs, np.where(narrowed[:, None], unmet, open_to_arms), slot))
    soft = np.flatnonzero(possible & ~explores & lots.is_soft)
    if len(soft):
        worth = (lots.value if value is None else value)[soft]
        draws.record(slot, soft, by_softmax(lots.rows(soft), worth, open_to[soft], slot))


class _OpenEntries:
    """Which entries of b slates the rules still allow, given what was taken.

    open_to: (b, K).
    """

    def __init__(self, slate: Slate, params: AssemblyParams) -> None:
        self._slate = slate
        self._rows = np.arange(len(slate.artist))
        self.open_to = slate.valid.copy()
        self._artists = _Capped(slate.artist, params.tracks_per_artist)
        self._albums = _Capped(own_album_where_none(slate.album), params.tracks_per_album)
        needed = new_artists_needed(params.new_artist_share)
        self._known_left = np.full(len(self._rows), PLAYLIST_LENGTH - needed)
        spent = self._known_left <= 0
        self.open_to[spent] &= slate.is_new[spent]

    def take(self, pick: Ints, found: Bools) -> None:
        """One more entry of each list where `found`.  pick: (b,) places in the slate."""
        rows, slate = self._rows, self._slate
        self.open_to[rows, pick] = False
        self._artists.take(pick, self.open_to)
        self._albums.take(pick, self.open_to)
        self._known_left -= found & ~slate.is_new[rows, pick]
        spent = np.flatnonzero(found & (self._known_left == 0))
        self.open_to[spent] &= slate.is_new[spent]


class _Capped:
    """How many entries of each artist, or album, b lists hold, and which entries that closes."""

    def __init__(self, value: Ints, limit: int) -> None:
        """value: (b, K) artist or album of each entry.  limit: entries of one that a list can hold."""
        self._value, self._limit = value, limit
        self._rows = np.arange(len(value))
        self._taken: list[Ints] = []

    def take(self, pick: Ints, open_to: Bools) -> None:
        """One more entry of each list; closes those of what is used up in open_to, (b, K).  pick: (b,) places.

        Held against what was taken before and not against all entries: most picks use nothing up.
        """
        taken = self._value[self._rows, pick]
        used = sum((before == taken for before in self._taken), np.ones(len(taken), dtype=np.int8))
        self._taken.append(taken)
        spent = np.flatnonzero(used >= self._limit)
        open_to[spent] &= self._value[spent] != taken[spent, None]


def own_album_where_none(album: Ints) -> Ints:
    """Tracks without an album get one of their own, below zero, so that they never count together."""
    return np.where(album >= 0, album, -1 - np.arange(album.shape[1]))


def new_artists_needed(share: float) -> int:
    """Tracks by new artists that a share asks for; rounded first, so that 0.1 of 30 is 3 and not 4."""
    return math.ceil(round(share * PLAYLIST_LENGTH, 9))


def is_full(picks: Ints) -> Bools:
    """(b,) True for lists of thirty."""
    return picks[:, -1] >= 0
