"""Calibration: a playlist's genres, and how popular its tracks are, in the proportions of what its listener likes.

Belongs here: parts of the catalogue by popularity, what a genre or part still missing is worth in the draw, how far a
list is from its listener, and the least far that thirty slots permit. Does not: genres (genres.py), caps and the draw
itself (assembly.py).

Source: Steck, "Calibrated Recommendations", RecSys 2018. p is the listener's mix, q the list's, every genre of a track
counting its share, and the list is as far from the listener as KL(p, 0.99 q + 0.01 p). Drawing track by track, each is
worth its score and what it takes off that distance; with the length fixed, the latter falls apart into genres:
p log((c + w + s) / (c + s)), c what the list holds of the genre, w the track's share, s = 30 * 0.01 / 0.99 p.
Popularity likewise, by head, middle and tail, of one of which each track is: Abdollahpouri et al., "User-centered
Evaluation of Popularity Bias in Recommender Systems", UMAP 2021.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints
from models_ml.features import Interactions
from models_ml.genres import MOST_GENRES, Genres

# Steck's alpha: a genre that a list lacks altogether costs much, not everything.
_SMOOTHING = 0.01
_PARTS = ("tail", "middle", "head")


@dataclass(frozen=True)
class SlateMix:
    """What calibration knows of the candidates of b listeners, beside a slate of K entries.

    score: (b, K) float64 what an entry is worth by itself.  place: (b, K, MOST_GENRES) its genres, g for none.
    count: (b, K) how many.  taste: (b, g) float32.  weight: (b,) float32, score for a nat less of distance.
    beside: the same entries by another division, whose gains come on top, and no score; None: there is none.
    """

    score: Floats
    place: Ints
    count: Ints
    taste: Floats
    weight: Floats
    beside: "SlateMix | None" = None

    def cared_for(self, least: float) -> Bools:
        """(b, K) True where at least this share of what the listener likes is of an entry's genres, or nobody knows."""
        taste = np.pad(self.taste, ((0, 0), (0, 1)))
        rows = np.arange(len(taste))[:, None, None]
        liked = taste[rows, self.place].sum(axis=2)
        unknown = self.taste.sum(axis=1)[:, None] == 0
        return np.asarray((liked >= least) | (self.count == 0) | unknown)

    def rows(self, chosen: Ints) -> "SlateMix":
        """Of some of the listeners."""
        beside = self.beside and self.beside.rows(chosen)
        return SlateMix(
            self.score[chosen], self.place[chosen], self.count[chosen], self.taste[chosen], self.weight[chosen], beside
        )

    def ordered(self, places: Ints) -> "SlateMix":
        """With the entries in another order.  places: (b, K)."""
        return SlateMix(
            np.take_along_axis(self.score, places, axis=1),
            np.take_along_axis(self.place, places[:, :, None], axis=1),
            np.take_along_axis(self.count, places, axis=1),
            self.taste,
            self.weight,
            self.beside and self.beside.ordered(places),
        )

    def first(self, count: int) -> "SlateMix":
        """Of the first entries."""
        entries = (self.score[:, :count], self.place[:, :count], self.count[:, :count])
        return SlateMix(*entries, self.taste, self.weight, self.beside and self.beside.first(count))


@dataclass(frozen=True)
class Calibration:
    """Genres of the recordings, or another division of them, and how much each listener's mix weighs.

    weight: (n,) float32 score a nat.  beside: a second division, weighed by itself.
    """

    genres: Genres
    weight: Floats
    beside: "Calibration | None" = None

    def mix(self, interactions: Interactions, listeners: Ints, recordings: Ints, score: Floats) -> SlateMix:
        """What the draw of these listeners' lists needs.  recordings: (b, K), score: (b, K)."""
        genres, beside = self.genres, None
        if self.beside is not None and self.beside.weight.any():
            beside = self.beside.mix(interactions, listeners, recordings, np.zeros_like(score))
        return SlateMix(
            score,
            genres.place[recordings],
            genres.count[recordings],
            genres.taste(interactions, listeners),
            self.weight[listeners],
            beside,
        )

    def measured(self, interactions: Interactions, listeners: Ints, recordings: Ints) -> tuple[Floats, ...]:
        """((b,) distance of each list, (b,) the least there can be), and the two of what is beside.

        recordings: (b, length) of these listeners' whole lists.
        """
        found = self._measured(self.genres.taste(interactions, listeners), recordings)
        return found if self.beside is None else (*found, *self.beside.measured(interactions, listeners, recordings))

    def _measured(self, taste: Floats, recordings: Ints) -> tuple[Floats, Floats]:
        length = recordings.shape[1]
        width = taste.shape[1] + 1
        first, share = np.arange(len(taste))[:, None] * width, self.genres.share[recordings].ravel()
        held = np.zeros(len(taste) * width)
        for column in range(MOST_GENRES):
            held += np.bincount((first + self.genres.place[recordings, column]).ravel(), share, minlength=len(held))
        held = held.reshape(len(taste), width)
        return distance(taste, held[:, :-1], length), least_distance(taste, length)


def popularity_parts(percentile: Floats, middle_from: float, head_from: float) -> Genres:
    """Tail, middle and head of the recordings, of one of which each is, in the form of genres.

    percentile: (m,) 0 to 1.
    """
    place = np.full((len(percentile), MOST_GENRES), len(_PARTS), dtype=np.int16)
    place[:, 0] = (percentile >= middle_from).astype(np.int16) + (percentile >= head_from)
    one_each, told = np.ones(len(percentile), dtype=np.int64), np.zeros(len(percentile), dtype=bool)
    return Genres(pa.array(_PARTS), place, one_each, told)


def weights(calibration_weight: float, adventurousness: Floats) -> Floats:
    """(n,) float32: nobody's mix is held on to who goes anywhere (1), twice as firmly of who goes nowhere (0).

    adventurousness: (n,) 0 to 1, NaN where unknown, which counts as the middle.
    """
    dial = 2.0 * (1.0 - np.clip(np.nan_to_num(adventurousness, nan=0.5), 0.0, 1.0))
    return np.asarray(calibration_weight * dial, dtype=np.float32)


class MixDraw:
    """The draw of b lists, entry by entry."""

    def __init__(self, mix: SlateMix, length: int) -> None:
        """length: tracks in a list."""
        self._mix = mix
        listeners, genres = mix.taste.shape
        self._length = length
        self._beside = MixDraw(mix.beside, length) if mix.beside else None
        self._held = np.zeros((listeners, genres + 1), dtype=np.float32)
        # Where every entry is of one alone, as of popularity, the other places would be looked up for nothing.
        self._most = int(mix.count.max(initial=1))
        # One flat table of gains a listener: genres by the share a track can have of one, and a last column for none.
        self._gains = np.zeros((listeners, self._most, genres + 1), dtype=np.float32)
        first = np.arange(listeners, dtype=np.int64)[:, None] * self._most + np.maximum(mix.count, 1) - 1
        first *= genres + 1
        self._at = [first + mix.place[:, :, column] for column in range(self._most)]

    def values(self) -> Floats:
        """(b, K) what each entry is worth now."""
        return np.asarray(self._mix.score + self.gained())

    def gained(self) -> Floats:
        """(b, K) float32 what each entry takes off the distances, as score."""
        for genres in range(1, self._most + 1):
            gain = _gain(self._mix.taste, self._held[:, :-1], 1 / genres, self._length)
            np.multiply(self._mix.weight[:, None], gain, out=self._gains[:, genres - 1, :-1])
        # One genre after the other: a sum over an axis of three takes as long as all the rest.
        gained = reduce(np.add, (self._gains.take(at) for at in self._at))
        return np.asarray(gained if self._beside is None else gained + self._beside.gained())

    def take(self, entry: Ints, taken: Bools) -> None:
        """One more entry of each list where `taken`.  entry: (b,) places in the slate."""
        rows = np.flatnonzero(taken)
        place, count = self._mix.place[rows, entry[rows]], self._mix.count[rows, entry[rows]]
        for column in range(self._most):
            self._held[rows, place[:, column]] += np.float32(1.0) / np.maximum(count, 1)
        self._held[:, -1] = 0.0
        if self._beside is not None:
            self._beside.take(entry, taken)


def _gain(taste: Floats, held: Floats, share: float, length: int) -> Floats:
    """(b, g) what so much more of each genre takes off the distance; 0 for genres that the listener has nothing of."""
    smooth = length * _SMOOTHING / (1 - _SMOOTHING) * taste
    known = taste > 0
    ratio = (held + share + smooth) / np.where(known, held + smooth, 1.0)
    return np.where(known, taste * np.log(np.where(known, ratio, 1.0)), 0.0)


def distance(taste: Floats, held: Floats, length: int) -> Floats:
    """(b,) float64 KL(p, 0.99 q + 0.01 p) in nats, NaN for listeners of no known taste.

    taste: (b, g) p.  held: (b, g) what each list of `length` tracks holds of each genre, in tracks.
    """
    p = taste.astype(np.float64)
    q = (1 - _SMOOTHING) * held / length + _SMOOTHING * p
    terms = np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0) / np.where(p > 0, q, 1.0)), 0.0)
    return np.where(p.any(axis=1), terms.sum(axis=1), np.nan)


def least_distance(taste: Floats, length: int) -> Floats:
    """(b,) float64 the distance of the best list of so many tracks of one genre each: no catalogue permits less."""
    p = taste.astype(np.float64)
    held, rows = np.zeros_like(p), np.arange(len(p))
    for _ in range(length if p.shape[1] else 0):
        held[rows, _gain(p, held, 1.0, length).argmax(axis=1)] += 1
    return distance(p, held, length)
