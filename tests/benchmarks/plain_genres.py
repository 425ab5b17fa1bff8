"""The plain job's genres and parts of popularity: what a recording counts as, what a listener likes, how far a list is.

Belongs here: genres of recordings, guesses where none is told, mixes of listeners, KL of lists against them.
Does not: what genres do to the draw (plain_draws.py).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import scipy.sparse

from models_ml.arrays import Bools, Floats, Ints

MOST_GENRES = 3
FEWEST_OF_A_GENRE = 5
LEAST_COSINE = 0.3
SMOOTHING = 0.01


@dataclass(frozen=True)
class Genres:
    """A division of m recordings.

    names: g.  place: (m, MOST_GENRES) of each, g for none.  count: (m,) how many.  guessed: (m,).
    """

    names: list[str]
    place: Ints
    count: Ints
    guessed: Bools

    def matrix(self) -> scipy.sparse.csr_matrix:
        """(m, g) what each recording is of each, a row's sum 1 or 0."""
        row, column = np.nonzero(self.place < len(self.names))
        share = 1.0 / self.count[row]
        return scipy.sparse.csr_matrix(
            (share, (row, self.place[row, column])), shape=(len(self.place), len(self.names))
        )


def genre_lists(lists: pd.Series) -> pd.Series:
    """One row a genre, by the index of its list: lower case, each once."""
    named = lists.explode().dropna().astype("str").str.strip().str.lower()
    named = named[named != ""]
    return named[~pd.MultiIndex.from_arrays([named.index, named]).duplicated()]


def told_genres(tracks: pd.DataFrame, main_edition: Ints) -> Genres:
    """What the catalogue says of the edition that most know."""
    said = genre_lists(tracks["genres"].take(main_edition).reset_index(drop=True))
    code, names = pd.factorize(said, sort=True)
    owner = said.index.to_numpy()
    rank = said.groupby(level=0).cumcount().to_numpy()
    place = np.full((len(main_edition), MOST_GENRES), len(names), dtype=np.int32)
    first = rank < MOST_GENRES
    place[owner[first], rank[first]] = code[first]
    count = (place < len(names)).sum(axis=1)
    return Genres([str(name) for name in names], place, count, np.zeros(len(count), dtype=bool))


def with_guesses(genres: Genres, vectors: Floats) -> Genres:
    """Recordings without a genre count as the one whose direction they point into most, where they do clearly."""
    length = np.linalg.norm(vectors, axis=1)
    silent = np.flatnonzero((genres.count == 0) & (length > 0))
    if not len(silent) or not genres.names:
        return genres
    unit = vectors / np.maximum(length, 1e-12)[:, None]
    means = np.asarray(genres.matrix().T @ unit)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    means[np.asarray((genres.matrix() > 0).T @ (length > 0).astype(float)) < FEWEST_OF_A_GENRE] = 0.0
    cosine = unit[silent] @ means.T
    sure = silent[cosine.max(axis=1) >= LEAST_COSINE]
    place, count, guessed = genres.place.copy(), genres.count.copy(), genres.guessed.copy()
    place[sure, 0] = cosine.argmax(axis=1)[cosine.max(axis=1) >= LEAST_COSINE]
    count[sure], guessed[sure] = 1, True
    return Genres(genres.names, place, count, guessed)


def popularity_parts(percentile: Floats, middle_from: float, head_from: float) -> Genres:
    """Tail, middle and head."""
    place = np.full((len(percentile), MOST_GENRES), 3, dtype=np.int32)
    place[:, 0] = (percentile >= middle_from).astype(int) + (percentile >= head_from)
    one_each = np.ones(len(percentile), dtype=np.int64)
    return Genres(["tail", "middle", "head"], place, one_each, np.zeros(len(percentile), dtype=bool))


def tastes(genres: Genres, liked: scipy.sparse.csr_matrix) -> Floats:
    """(n, g) float32 mix of what each likes, by confidence beyond a mention; a row's sum 1 or 0."""
    beyond = liked.copy()
    beyond.data -= 1.0
    mixed = (beyond @ genres.matrix()).toarray()
    return np.asarray(mixed / np.maximum(mixed.sum(axis=1, keepdims=True), 1e-12), dtype=np.float32)


def held(genres: Genres, recordings: Ints) -> Floats:
    """(b, g) what each list holds of each, in tracks.  recordings: (b, length)."""
    width = len(genres.names) + 1
    share = 1.0 / np.maximum(genres.count[recordings], 1)
    row = np.arange(len(recordings))[:, None] * width
    at = row[:, :, None] + genres.place[recordings]
    weight = np.broadcast_to(share[:, :, None], at.shape)
    tracks = np.bincount(at.ravel(), weight.ravel(), minlength=len(recordings) * width)
    return np.asarray(tracks.reshape(-1, width)[:, :-1], dtype=np.float64)


def distance(taste: Floats, tracks: Floats, length: int) -> Floats:
    """(b,) KL(p, 0.99 q + 0.01 p) in nats, NaN where nothing is known of p."""
    p = taste.astype(np.float64)
    q = (1 - SMOOTHING) * tracks / length + SMOOTHING * p
    terms = p * np.log(np.where(p > 0, p, 1.0) / np.where(p > 0, q, 1.0))
    return np.where(p.any(axis=1), terms.sum(axis=1), np.nan)


def gain(taste: Floats, tracks: Floats, share: float, length: int) -> Floats:
    """(b, g) what so much more of each takes off the distance."""
    smooth = length * SMOOTHING / (1 - SMOOTHING) * taste + np.float32(1e-12)
    return np.asarray(taste * np.log1p(np.float32(share) / (tracks + smooth)))


def least_distance(taste: Floats, length: int) -> Floats:
    """(b,) the distance of the best list of so many tracks of one genre each."""
    tracks, rows = np.zeros(taste.shape, dtype=np.float32), np.arange(len(taste))
    for _ in range(length if taste.shape[1] else 0):
        tracks[rows, gain(taste, tracks, 1.0, length).argmax(axis=1)] += 1
    return distance(taste, tracks, length)
