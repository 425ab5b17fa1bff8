"""Genres of recordings and of listeners: what the catalogue says, and a guess, marked so, where it says nothing.

Belongs here: the genres a recording counts as, guesses from where it lies, the mix of what a listener likes.
Does not: what a playlist's mix should be (calibration.py).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints, place_in_row
from models_ml.features import Interactions

# A recording counts as its first few genres: lists of twenty say less each.
MOST_GENRES = 3
# Fewer recordings than this don't show where a genre lies.
_FEWEST_OF_A_GENRE = 5
# A guess has to point at least this much into a genre's direction.
_LEAST_COSINE = 0.3


@dataclass(frozen=True)
class Genres:
    """Genres of m recordings.

    names: g genres, lower case, sorted.  place: (m, MOST_GENRES) int32 genres of each recording, g for none.
    count: (m,) int64 how many those are.  is_guess: (m,) True where the catalogue names none and these are a guess.
    """

    names: pa.Array
    place: Ints
    count: Ints
    is_guess: Bools

    @property
    def share(self) -> Floats:
        """(m,) float32 what each of a recording's genres counts."""
        return np.asarray(1.0 / np.maximum(self.count, 1), dtype=np.float32)

    def taste(self, interactions: Interactions, listeners: Ints) -> Floats:
        """(b, g) float32 genre mix of what each listener likes, by confidence beyond a mention; sums to 1, or 0."""
        mixed = self._liked(interactions, listeners) @ self._matrix()
        return np.asarray(_shares(mixed, mixed), dtype=np.float32)

    def told_taste(self, interactions: Interactions, listeners: Ints) -> Floats:
        """(b, g) float32 the part of that mix which the catalogue names and nothing is guessed of."""
        liked, matrix = self._liked(interactions, listeners), self._matrix()
        told = scipy.sparse.diags_array((~self.is_guess).astype(np.float64))
        return np.asarray(_shares(liked @ (told @ matrix), liked @ matrix), dtype=np.float32)

    def named_for(self, told_taste: Floats, rows: Ints, recordings: Ints, least: float) -> Ints:
        """(c,) genre that the catalogue names of each recording and its listener likes most of, -1 below that share.

        told_taste: (b, g).  rows: (c,) row of it of each recording's listener.  Of equals the first named.
        """
        place = self.place[recordings]
        liked = np.pad(told_taste, ((0, 0), (0, 1)))[rows[:, None], place]
        best = liked.argmax(axis=1)[:, None]
        share = np.take_along_axis(liked, best, axis=1)[:, 0]
        can_be = (share > 0) & (share >= least) & ~self.is_guess[recordings]
        return np.where(can_be, np.take_along_axis(place, best, axis=1)[:, 0], -1)

    def _liked(self, interactions: Interactions, listeners: Ints) -> scipy.sparse.csr_matrix:
        """(b, m) what each listener likes, by confidence beyond a mention."""
        row, position = interactions.pairs.positions(listeners)
        liked = interactions.preference[position] > 0
        row, position = row[liked], position[liked]
        recording = interactions.pairs.values[position]
        weight = interactions.confidence[position] - 1.0
        return scipy.sparse.csr_matrix((weight, (row, recording)), shape=(len(listeners), len(self.count)))

    def lists(self, recordings: Ints) -> pa.Array:
        """Names of the genres of each of these recordings, as a list column."""
        place, count = self.place[recordings], self.count[recordings]
        filled = np.arange(MOST_GENRES) < count[:, None]
        offsets = np.concatenate([[0], np.cumsum(count)]).astype(np.int32)
        return pa.ListArray.from_arrays(offsets, self.names.take(pa.array(place[filled], pa.int32())))

    def _matrix(self) -> scipy.sparse.csr_matrix:
        """(m, g) share of each genre."""
        filled = np.arange(MOST_GENRES) < self.count[:, None]
        indptr = np.concatenate([[0], np.cumsum(self.count)])
        data = np.repeat(self.share.astype(np.float64), self.count)
        return scipy.sparse.csr_matrix((data, self.place[filled], indptr), shape=(len(self.count), len(self.names)))


def _shares(part: scipy.sparse.csr_matrix, whole: scipy.sparse.csr_matrix) -> Floats:
    """(b, g) what each row of a part is of the sum of the same row of the whole, 0 of nothing."""
    sums = np.asarray(whole.todense()).sum(axis=1, keepdims=True)
    return np.asarray(np.asarray(part.todense()) / np.maximum(sums, 1e-12))


def leading_genre(taste: Floats, otherwise: int) -> Ints:
    """(b,) genre that most of each taste (b, g) is of, the first of equals; `otherwise` where none is known."""
    if not taste.shape[1]:
        return np.full(len(taste), otherwise)
    return np.where(taste.any(axis=1), taste.argmax(axis=1), otherwise)


def read_genres(lists: pa.Array, vectors: Floats) -> Genres:
    """Genres of recordings from the catalogue's lists; where one is empty or null, from its place among the others.

    lists: m lists of names.  vectors: (m, f) where each recording lies, zero where nothing is known.
    """
    values = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    owner, name = pc.list_parent_indices(values).to_numpy(), pc.utf8_lower(pc.utf8_trim_whitespace(values.flatten()))
    told = pc.and_kleene(pc.is_valid(name), pc.not_equal(name, "")).to_numpy(zero_copy_only=False)
    told = told.astype(bool)
    owner, name = owner[told].astype(np.int64), name.filter(pa.array(told))
    names = pc.unique(name).sort()
    genre = pc.index_in(name, names).to_numpy(zero_copy_only=False).astype(np.int64)
    count = len(values)
    _, first = np.unique(owner * max(len(names), 1) + genre, return_index=True)
    first.sort()
    owner, genre = owner[first], genre[first]
    rank = place_in_row(owner)
    owner, genre, rank = owner[rank < MOST_GENRES], genre[rank < MOST_GENRES], rank[rank < MOST_GENRES]
    place = np.full((count, MOST_GENRES), len(names), dtype=np.int32)
    place[owner, rank] = genre
    counts = np.bincount(owner, minlength=count)
    told_of = Genres(names, place, counts, np.zeros(count, dtype=bool))
    return _guessed(told_of, vectors)


def _guessed(genres: Genres, vectors: Floats) -> Genres:
    """The same, with the genre whose direction a recording without genres points into most, where it does clearly."""
    length = np.linalg.norm(vectors, axis=1)
    silent = np.flatnonzero((genres.count == 0) & (length > 0))
    if not len(silent) or not len(genres.names):
        return genres
    unit = vectors / np.maximum(length, 1e-12)[:, None]
    matrix = genres._matrix()
    means = np.asarray(matrix.T @ unit)
    told_of = np.asarray((matrix > 0).T @ (length > 0).astype(np.float64))
    means /= np.maximum(np.linalg.norm(means, axis=1), 1e-12)[:, None]
    means[told_of < _FEWEST_OF_A_GENRE] = 0.0
    cosine = unit[silent] @ means.T
    best = cosine.argmax(axis=1)
    sure = cosine[np.arange(len(silent)), best] >= _LEAST_COSINE
    rows = silent[sure]
    place, count, is_guess = genres.place.copy(), genres.count.copy(), genres.is_guess.copy()
    place[rows, 0], count[rows], is_guess[rows] = best[sure], 1, True
    return Genres(genres.names, place, count, is_guess)
