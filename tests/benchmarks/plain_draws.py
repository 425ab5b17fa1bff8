"""The plain job's thirty tracks: the best that fit the rules beside what was drawn before, and slots left to chance.

Belongs here: caps, half by new artists, genres and popularity in proportion, arms, what gives way.
Does not: candidates (plain_candidates.py), the order heard (plain_order.py).

All lists of a batch are drawn at once, slot by slot, on the grid of their candidates. Arms are for artists new to the
catalogue and for nothing special: genres that lists gave too little of there are none before there were lists, and all
arms are as likely.
"""

from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.assembly import PLAYLIST_LENGTH as LENGTH
from models_ml.assembly import AssemblyParams
from models_ml.exploration.params import ExplorationParams
from models_ml.rules import NEW_ARTIST_SHARE, NEW_RELEASE, SOURCE_BITS, TRACKS_PER_ALBUM, TRACKS_PER_ARTIST
from tests.benchmarks.plain_candidates import FAR, Found
from tests.benchmarks.plain_genres import Genres, gain
from tests.benchmarks.stopwatch import Stopwatch

PARAMS, EXPLORATION = AssemblyParams(), ExplorationParams()
EXPLORE_SLOTS = round(EXPLORATION.slot_share * LENGTH)
ARMS = ("new_artist", "nothing_special")
# No artist's and no album's number.
_NOBODY = np.iinfo(np.int64).min
_LIMIT_OF = {NEW_ARTIST_SHARE: "new", TRACKS_PER_ALBUM: "album", TRACKS_PER_ARTIST: "artist"}


@dataclass(frozen=True)
class Limits:
    """The soft rules of a draw: tracks of an artist and of an album, share of tracks by new artists."""

    artist: float = PARAMS.tracks_per_artist
    album: float = PARAMS.tracks_per_album
    new: float = PARAMS.new_artist_share


def new_needed(share: float) -> int:
    """Tracks by new artists that a share asks for."""
    return int(np.ceil(round(share * LENGTH, 9)))


def ladder() -> list[tuple[str, float, float]]:
    """(rule, limit before, limit after) in the order in which rules give way, a half more at each step."""
    share = PARAMS.new_artist_share
    limits = {NEW_ARTIST_SHARE: [share, share / 2, 0.0]}
    for rule, limit in ((TRACKS_PER_ALBUM, PARAMS.tracks_per_album), (TRACKS_PER_ARTIST, PARAMS.tracks_per_artist)):
        limits[rule] = [float(limit)]
        while limits[rule][-1] < LENGTH:
            limits[rule].append(min(float(LENGTH), float(np.ceil(1.5 * limits[rule][-1]))))
    return [(rule, before, after) for rule, values in limits.items() for before, after in pairwise(values)]


@dataclass(frozen=True)
class Division:
    """Genres, or parts of popularity, and what holding to them is worth.  taste: (b, g).  weight: (b,) score a nat."""

    of: Genres
    taste: Floats
    weight: Floats

    def rows(self, chosen: Ints) -> "Division":
        """Of some of the listeners."""
        return Division(self.of, self.taste[chosen], self.weight[chosen])


@dataclass(frozen=True)
class Chance:
    """What is left to chance.  explores, soft: (b,).  new_artist: (m,).  draws: (b, 30, 2) uniform numbers."""

    explores: Bools
    soft: Bools
    new_artist: Bools
    draws: Floats


@dataclass(frozen=True)
class Drawn:
    """(b, 30) in the order of the draws.

    pick: place in the grid, -1 from where nothing fits.  arm: -1 for none.  p_arm: NaN for none.  p_track.
    feasible: of how many, -1 where chance had no part.  exact: False where the list was filled in another way.
    """

    pick: Ints
    arm: Ints
    p_arm: Floats
    p_track: Floats
    feasible: Ints
    exact: Bools

    @property
    def full(self) -> Bools:
        """(b,)."""
        return np.asarray((self.pick >= 0).all(axis=1))

    def rows(self, chosen: Ints) -> "Drawn":
        """Of some of the listeners."""
        return Drawn(*(getattr(self, part.name)[chosen] for part in fields(Drawn)))

    def ordered(self, order: Ints) -> "Drawn":
        """In another order.  order: (b, 30)."""
        return Drawn(*(np.take_along_axis(getattr(self, part.name), order, axis=1) for part in fields(Drawn)))


class Mixture:
    """What each candidate takes off the distance of its list, as score."""

    def __init__(self, division: Division, recording: Ints) -> None:
        """recording: (b, K)."""
        self._division = division
        place, count = division.of.place, division.of.count
        self._most = int(count.max(initial=1))
        self._width = len(division.of.names) + 1
        self._held = np.zeros((len(recording), self._width), dtype=np.float32)
        self._table = np.zeros((len(recording), self._most, self._width), dtype=np.float32)
        own = (np.maximum(count, 1) - 1)[:, None] * self._width + place[:, : self._most]
        row = (np.arange(len(recording)) * self._most * self._width).astype(np.int32)[:, None]
        self._at = [own[:, column].astype(np.int32)[recording] + row for column in range(self._most)]

    def add_to(self, value: Floats) -> None:
        """Add what each is worth now.  value: (b, K)."""
        taste, weight = self._division.taste, self._division.weight[:, None].astype(np.float32)
        for count in range(1, self._most + 1):
            self._table[:, count - 1, :-1] = weight * gain(taste, self._held[:, :-1], 1 / count, LENGTH)
        flat = self._table.reshape(-1)
        for at in self._at:
            value += flat.take(at)

    def take(self, rows: Ints, recording: Ints) -> None:
        """One more track of these lists.  rows, recording: (c,)."""
        place, count = self._division.of.place[recording], self._division.of.count[recording]
        for column in range(self._most):
            self._held[rows, place[:, column]] += np.float32(1.0) / np.maximum(count, 1)
        self._held[:, -1] = 0.0


class _Draw:
    """The draw of b lists."""

    def __init__(self, found: Found, divisions: list[Division], limits: Limits) -> None:
        self.found, self._limits = found, limits
        self._rows = np.arange(len(found.recording))
        # -inf where a rule has closed a candidate.
        self.worth = np.where(found.valid, found.score, -np.inf).astype(np.float32)
        self._mixtures = [Mixture(division, found.recording) for division in divisions]
        self._known_left = np.full(len(self._rows), LENGTH - new_needed(limits.new))
        self._close_known(np.flatnonzero(self._known_left <= 0))
        # Artists and albums of what was taken: most picks use nothing up, so that these few are looked at alone.
        self._taken: tuple[list[Ints], list[Ints]] = ([], [])

    def values(self) -> Floats:
        """(b, K) what each is worth now, -inf where it is closed."""
        value = self.worth.copy()
        for mixture in self._mixtures:
            mixture.add_to(value)
        return value

    def take(self, pick: Ints, there: Bools) -> None:
        """One more of each list where there is one."""
        rows, found = self._rows[there], self.found
        pick = np.where(there, pick, 0)
        self.worth[rows, pick[rows]] = -np.inf
        for mixture in self._mixtures:
            mixture.take(rows, found.recording[rows, pick[rows]])
        for value, limit, before in zip(
            (found.artist, found.album), (self._limits.artist, self._limits.album), self._taken, strict=True
        ):
            taken = np.where(there, value[self._rows, pick], _NOBODY)
            used = sum((earlier == taken for earlier in before), np.ones(len(taken), dtype=np.int8))
            before.append(taken)
            spent = np.flatnonzero(there & (used >= limit))
            self.worth[spent] = np.where(value[spent] == taken[spent, None], -np.inf, self.worth[spent])
        self._known_left -= there & ~found.is_new[self._rows, pick]
        self._close_known(np.flatnonzero(there & (self._known_left == 0)))

    def _close_known(self, rows: Ints) -> None:
        self.worth[rows] = np.where(self.found.is_new[rows], self.worth[rows], -np.inf)


def draw(found: Found, genres: Division, popularity: Division, chance: Chance, clock: Stopwatch) -> Drawn:
    """Thirty of each listener's candidates, fewer where no more fit."""
    with clock("rules"):
        drawing, drawn = _Draw(found, [genres, popularity], Limits()), _nothing(len(found.recording))
        spread, first = _spread(found), _new_release_first(found, genres, drawing.values())
        # Before any other, but after the slots of arms, which it must not weigh in.
        drawing.worth += FAR * (first & ~chance.explores[:, None])
    for slot in range(LENGTH):
        with clock("rules"):
            if slot == EXPLORE_SLOTS:
                drawing.worth += FAR * (first & chance.explores[:, None])
            exploring = chance.explores & (slot < EXPLORE_SLOTS)
            value = drawing.worth if exploring.all() else drawing.values()
            pick = value.argmax(axis=1)
            possible = drawing.worth[np.arange(len(pick)), pick] > -np.inf
        with clock("draws"):
            _by_arm(found, drawing.worth, np.flatnonzero(exploring & possible), spread, chance, slot, drawn)
            _by_softmax(value, np.flatnonzero(chance.soft & ~exploring & possible), spread, chance, slot, drawn)
        with clock("rules"):
            pick = np.where(drawn.feasible[:, slot] >= 0, drawn.pick[:, slot], pick)
            drawn.pick[:, slot] = np.where(possible, pick, -1)
            drawing.take(pick, possible)
    return drawn


def draw_giving_way(
    found: Found, genres: Division, popularity: Division, before: Drawn, kept: Ints
) -> tuple[Drawn, list[tuple[Ints, str, float, float]]]:
    """(lists around what chance had drawn, what gave way: rows, rule, limit from and to).

    kept: (b, 30) places in this grid of what chance drew, -1 elsewhere.  Rules are lifted step by step for lists that
    can't be filled otherwise, and a step counts where the list goes beyond its limit.
    """
    drawn = Drawn(kept.copy(), before.arm, before.p_arm, before.p_track, before.feasible, before.feasible >= 0)
    limits, rows = Limits(), np.arange(len(kept))
    steps: list[tuple[Ints, str, float, float]] = []
    for rule, low, high in [("", 0.0, 0.0), *ladder()]:
        if rule:
            limits = replace(limits, **{_LIMIT_OF[rule]: high})
            steps.append((rows, rule, low, high))
        mixes = [genres.rows(rows), popularity.rows(rows)]
        drawn.pick[rows] = _filled(found.rows(rows), mixes, limits, kept[rows])
        rows = rows[(drawn.pick[rows] < 0).any(axis=1) & (found.valid[rows].sum(axis=1) >= LENGTH)]
        if not len(rows):
            break
    used = _used(found, drawn.pick)
    needed: list[tuple[Ints, str, float, float]] = []
    for asked, rule, low, high in steps:
        kept_to = used[rule][asked] >= new_needed(low) if rule == NEW_ARTIST_SHARE else used[rule][asked] <= low
        needed.append((asked[~kept_to], rule, low, high))
    return drawn, needed


def _filled(found: Found, divisions: list[Division], limits: Limits, kept: Ints) -> Ints:
    """(b, 30) places, those kept in their slots and the best around them."""
    drawing, picks = _Draw(found, divisions, limits), kept.copy()
    for slot in range(LENGTH):
        value = drawing.values()
        pick = np.where(kept[:, slot] >= 0, kept[:, slot], value.argmax(axis=1))
        there = (kept[:, slot] >= 0) | (drawing.worth[np.arange(len(pick)), pick] > -np.inf)
        picks[:, slot] = np.where(there, pick, -1)
        drawing.take(pick, there)
    return picks


def _used(found: Found, picks: Ints) -> dict[str, Ints]:
    """(b,) tracks by new artists, most of an album, most of an artist."""
    place = np.maximum(picks, 0)

    def most(value: Ints) -> Ints:
        taken = np.take_along_axis(value, place, axis=1)
        same = (taken[:, :, None] == taken[:, None, :]) & (picks >= 0)[:, None, :] & (picks >= 0)[:, :, None]
        return np.asarray(same.sum(axis=2).max(axis=1))

    new = (np.take_along_axis(found.is_new, place, axis=1) & (picks >= 0)).sum(axis=1)
    return {NEW_ARTIST_SHARE: new, TRACKS_PER_ALBUM: most(found.album), TRACKS_PER_ARTIST: most(found.artist)}


def _nothing(count: int) -> Drawn:
    shape = (count, LENGTH)
    empty, none, certain = np.full(shape, -1), np.full(shape, np.nan), np.ones(shape)
    return Drawn(empty, empty.copy(), none, certain, empty.copy(), np.ones(shape, dtype=bool))


def _spread(found: Found) -> Floats:
    """(b,) standard deviation of the scores of each listener's candidates, 1 where all are alike."""
    spread = np.nan_to_num(np.std(found.score, axis=1, where=found.valid))
    return np.where(spread > 1e-9, spread, 1.0)


def _new_release_first(found: Found, genres: Division, value: Floats) -> Bools:
    """(b, K) true for the new releases worth most, of genres that the listener cares for."""
    reserved = found.valid & ((found.sources & np.uint8(SOURCE_BITS[NEW_RELEASE])) > 0)
    row, place = np.nonzero(reserved)
    recording = found.recording[row, place]
    liked = np.pad(genres.taste, ((0, 0), (0, 1)))[row[:, None], genres.of.place[recording]].sum(axis=1)
    unknown = (genres.of.count[recording] == 0) | ~genres.taste[row].any(axis=1)
    cared_for = unknown | (liked >= PARAMS.new_release_genre_share)
    row, place = row[cared_for], place[cared_for]
    order = np.lexsort((-value[row, place], row))
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    chosen = order[rank < PARAMS.new_release_slots]
    first = np.zeros(reserved.shape, dtype=bool)
    first[row[chosen], place[chosen]] = True
    return first


def _by_arm(found: Found, worth: Floats, rows: Ints, spread: Floats, chance: Chance, slot: int, drawn: Drawn) -> None:
    """A slot of an arm: the arm by its chance, then a track of it by softmax; of artists new to the listener, if any.

    Before anything came of any arm, all of those that have a track left are as likely.
    """
    if not len(rows):
        return
    score = worth[rows]
    unmet = np.where(found.is_new[rows], score, -np.inf)
    score = np.where(np.max(unmet, axis=1, keepdims=True) > -np.inf, unmet, score)
    belongs = chance.new_artist[found.recording[rows]]
    width = (EXPLORATION.temperature * spread[rows])[:, None]
    weights, highest = [], []
    for of_arm in (belongs, ~belongs):
        masked = np.where(of_arm, score, -np.inf)
        best = masked.max(axis=1, keepdims=True)
        weights.append(np.exp((masked - np.where(np.isfinite(best), best, 0.0)) / width))
        highest.append(np.isfinite(best[:, 0]))
    is_open = np.stack(highest, axis=1)
    uniform = chance.draws[rows, slot]
    arm = np.where(is_open.all(axis=1), uniform[:, 0] >= 0.5, is_open[:, 1]).astype(np.int64)
    weight = np.where((arm == 0)[:, None], weights[0], weights[1])
    pick, p_within = _chosen(weight, uniform[:, 1])
    drawn.pick[rows, slot], drawn.arm[rows, slot] = pick, arm
    drawn.p_arm[rows, slot] = 1.0 / is_open.sum(axis=1)
    drawn.p_track[rows, slot] = drawn.p_arm[rows, slot] * p_within  # a track is of one arm
    drawn.feasible[rows, slot] = np.isfinite(score).sum(axis=1)


def _by_softmax(value: Floats, rows: Ints, spread: Floats, chance: Chance, slot: int, drawn: Drawn) -> None:
    """A slot by softmax of all that is open.  value: (b, K)."""
    if not len(rows):
        return
    value, width = value[rows], EXPLORATION.exploit_temperature * spread[rows, None]
    weight = np.exp((value - value.max(axis=1, keepdims=True)) / width)
    drawn.pick[rows, slot], drawn.p_track[rows, slot] = _chosen(weight, chance.draws[rows, slot, 1])
    drawn.feasible[rows, slot] = np.isfinite(value).sum(axis=1)


def _chosen(weight: Floats, uniform: Floats) -> tuple[Ints, Floats]:
    """((r,) place drawn by weight, (r,) its chance)."""
    upto = weight.cumsum(axis=1, dtype=np.float64)
    total = upto[:, -1]
    pick = (upto > np.minimum(uniform * total, np.nextafter(total, 0.0))[:, None]).argmax(axis=1)
    return pick, weight[np.arange(len(pick)), pick] / total
