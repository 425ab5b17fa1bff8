"""Slates: the ranked candidates of a block of listeners as a grid, best first, and the order they are drawn in.

Belongs here: sorting by score, what has slots of its own going first, back to places by score, what chance drew.
Does not: scores (ranking.py), the rules of the draw (assembly.py).
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from models_ml.arrays import Bools, Floats, Ints, place_in_row
from models_ml.assembly import Draws, Slate
from models_ml.features import WeekFeatures
from models_ml.pools import Pool
from models_ml.ranker.features import Featured
from models_ml.ranking import Components

# Further apart than any two scores.
FAR: Final = 1e4


@dataclass(frozen=True)
class RankedPool:
    """A pool with the edition, score components and newness of each candidate, and the features of some."""

    pool: Pool
    edition: Ints
    components: Components
    is_new: Bools
    personal: Bools
    featured: Featured


@dataclass(frozen=True)
class LaidOut:
    """A ranked pool as a grid.

    order: (b, K) place in the pool of each entry of the slate, best first.
    first: (b, K) places in the slate in the order they are drawn in: what has slots of its own goes first.  None: in
    that of the slate, since what each is worth says it.
    taste: (b, g) genre mix of each listener, None where no genre is known.
    """

    ranked: RankedPool
    slate: Slate
    order: Ints
    first: Ints | None
    taste: Floats | None = None

    def to_draw_from(self) -> Slate:
        """The slate in the order it is drawn in."""
        return self.slate if self.first is None else self.slate.ordered(self.first)


def goes_first(reserved: Bools, value: Floats, slots: int) -> Bools:
    """(b, K) True for the few reserved ones of each row that are worth most; ties by place."""
    if not reserved.size:
        return reserved
    best = np.argsort(np.where(reserved, -value, np.inf), axis=1, kind="stable")[:, :slots]
    first = np.zeros_like(reserved)
    np.put_along_axis(first, best, True, axis=1)
    return np.asarray(first & reserved)


def drawn_first(first: Bools) -> Ints:
    """(b, K) places, those that go first before the others, else in their order."""
    return np.argsort(~first, axis=1, kind="stable")


def worth(ranked: RankedPool, order: Ints) -> Floats:
    """(b, K) what each entry of the slate is worth in a draw that may leave the order.

    Popular ones that stand in for personal ones come after all of these.
    """
    if not len(ranked.pool):
        return np.zeros(order.shape)
    return np.asarray(ranked.components.final[order] - FAR * ~ranked.personal[order])


def in_slate(first: Ints | None, draws: Draws) -> Draws:
    """Draws among places that were drawn in the order `first`, as places in the slate."""
    if first is None or not first.size:
        return draws
    places = np.take_along_axis(first, np.maximum(draws.picks, 0), axis=1)
    return replace(draws, picks=np.where(draws.picks >= 0, places, -1))


def left_to_chance(laid: LaidOut, draws: Draws, rows: Ints) -> tuple[Ints, Pool]:
    """((s, 30) recordings that chance drew for these rows, -1 elsewhere, the same as a pool of s rows)."""
    pool, picks = laid.ranked.pool, np.where(draws.by_chance, draws.picks, -1)[rows]
    row, slot = np.nonzero(picks >= 0)
    place = laid.order[rows[row], picks[row, slot]]
    recordings = np.full(picks.shape, -1)
    recordings[row, slot] = pool.recordings[place]
    return recordings, Pool(row, pool.recordings[place], pool.scores[place], pool.sources[place])


def places_of(laid: LaidOut, recordings: Ints) -> Ints:
    """(b, 30) places of these recordings among the slate's entries in the order they are drawn in, -1 for none."""
    places = np.full(recordings.shape, -1)
    asked = np.flatnonzero((recordings >= 0).any(axis=0))
    if len(asked):
        there = np.where(laid.slate.valid, laid.ranked.pool.recordings[laid.order], -1)
        there = there if laid.first is None else np.take_along_axis(there, laid.first, axis=1)
    for slot in asked:
        place = (there == recordings[:, slot, None]).argmax(axis=1)
        places[:, slot] = np.where(recordings[:, slot] >= 0, place, -1)
    return places


def slate_of(features: WeekFeatures, ranked: RankedPool, row_count: int) -> tuple[Slate, Ints]:
    """(slate, (b, K) place in the pool of each entry), as `best_first_grid` has them."""
    grid, valid = best_first_grid(ranked.pool, ranked.components.final, ranked.personal, row_count)
    if not len(ranked.pool):
        nothing = np.zeros(grid.shape, dtype=np.int32)
        return Slate(nothing, nothing, valid, valid), grid
    edition = ranked.edition[grid]
    slate = Slate(features.editions.artist[edition], features.editions.album[edition], ranked.is_new[grid], valid)
    return slate, grid


def best_first_grid(pool: Pool, final: Floats, personal: Bools, row_count: int) -> tuple[Ints, Bools]:
    """((b, K) places in the pool, which of them hold one): personal ones first, then by score, recording."""
    place = place_in_row(pool.rows)
    shape = (row_count, int(place.max(initial=-1)) + 1)
    grid, fill = np.zeros(shape, dtype=np.int64), pool.lengths(row_count)
    worse, ordinary = np.full(shape, np.inf), np.ones(shape, dtype=bool)
    grid[pool.rows, place] = np.arange(len(pool))
    worse[pool.rows, place] = -final
    ordinary[pool.rows, place] = ~personal
    valid = np.arange(shape[1]) < fill[:, None]
    # A row is in the order of its recordings, and stable sorting keeps that among equals.
    by_score = np.argsort(worse, axis=1, kind="stable")
    personal_first = np.argsort(np.take_along_axis(ordinary, by_score, axis=1), axis=1, kind="stable")
    grid = np.take_along_axis(grid, np.take_along_axis(by_score, personal_first, axis=1), axis=1)
    return grid, valid
