"""What the network learns towards: vectors with their evidence, genres, voice; and who is kept aside.

Belongs here: targets and their checks, weights by evidence, standardising, the split by artist.
Does not: the network, passes over the data.
"""

import math
from dataclasses import dataclass

import numpy as np

from models_ml.arrays import Bools, Floats, Ints
from models_ml.errors import InputError
from models_ml.sound.model_params import SoundModelParams


@dataclass(frozen=True)
class SoundTargets:
    """What is known of n tracks that have sound; row by row as the reader of spectrograms counts them.

    vectors: (n, f) float32 collaborative vectors; a row of zeros has none.
    weight: (n,) from 0 to 1, how much each is trusted (`evidence_weight`); with 0 only its labels are learnt.
    artist: (n,) whoever made it; no artist is both learnt from and used to tell when to stop.
    genres: (n, g) True where it belongs to the genre, with `genre_known` (n,) and `genre_names` (g); None: no genres.
    instrumental: (n,) 1 without voice, 0 with, NaN unknown; None: unknown for all.
    aside: (n,) True for tracks never learnt from, whole artists, which tell when to stop; None: drawn by the seed.
    """

    vectors: Floats
    weight: Floats
    artist: Ints
    genres: Bools | None = None
    genre_known: Bools | None = None
    genre_names: tuple[str, ...] = ()
    instrumental: Floats | None = None
    aside: Bools | None = None

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or not self.vectors.shape[1]:
            raise InputError(f"sound targets: vectors of shape {self.vectors.shape}; (tracks, factors) is wanted")
        for name, values in self._columns().items():
            if len(values) != len(self.vectors):
                raise InputError(f"sound targets: {len(self.vectors)} vectors, but {len(values)} of {name}")
        _finite(self.vectors, "vectors")
        _finite(self.weight, "weight")
        if (self.weight < 0).any():
            row = int(np.flatnonzero(self.weight < 0)[0])
            raise InputError(f"sound targets: weight is {self.weight[row]:g} in row {row}; it must not be negative")
        genre_count = 0 if self.genres is None else self.genres.shape[1]
        if genre_count != len(self.genre_names):
            raise InputError(f"sound targets: {len(self.genre_names)} genre_names for {genre_count} columns of genres")
        if not (self.trusted > 0).any():
            message = f"sound targets: none of {len(self.vectors)} tracks has a vector with a weight"
            raise InputError(f"{message}; lower sound_model.minimum_listeners, or wait for more listening")

    def _columns(self) -> dict[str, Floats | Ints | Bools]:
        given = {
            "weight": self.weight,
            "artist": self.artist,
            "genres": self.genres,
            "genre_known": self.genre_known,
            "instrumental": self.instrumental,
            "aside": self.aside,
        }
        return {name: values for name, values in given.items() if values is not None}

    @property
    def trusted(self) -> Floats:
        """(n,) the weights, 0 where there is no vector."""
        return np.where(self.vectors.any(axis=1), self.weight, 0.0)


def _finite(values: Floats, name: str) -> None:
    """InputError naming the first row that holds no number."""
    wrong = np.flatnonzero(~np.isfinite(values).reshape(len(values), math.prod(values.shape[1:])).all(axis=1))
    if len(wrong):
        row = int(wrong[0])
        raise InputError(f"sound targets: {name} holds a NaN or an infinity in row {row}; leave the row out")


def evidence_weight(listener_count: Ints, params: SoundModelParams) -> Floats:
    """(n,) float64 trust in collaborative vectors: n / (n + half_weight_listeners), 0 below minimum_listeners.

    The variance of a vector learnt from n listeners falls as 1 / n towards what no number of listeners explains.
    """
    count = np.asarray(listener_count, dtype=np.float64)
    return np.where(count >= params.minimum_listeners, count / (count + params.half_weight_listeners), 0.0)


@dataclass(frozen=True)
class Scaling:
    """Vectors as the network predicts them: minus their mean, over one common scale.

    One scale for all factors: what is asked of a vector is its inner products, and those a factor of little variance
    takes little part in.
    """

    mean: Floats
    scale: float

    @classmethod
    def fitted(cls, vectors: Floats, weight: Floats) -> "Scaling":
        """Of the tracks trained on, weighted; (n, f) and (n,). A scale of 1 where all are the same."""
        share = (weight / weight.sum())[:, None]
        mean = (share * vectors).sum(axis=0)
        scale = float(np.sqrt((share * np.square(vectors - mean)).sum() / vectors.shape[1]))
        return cls(mean.astype(np.float32), scale if scale > 1e-6 else 1.0)

    def scaled(self, vectors: Floats) -> Floats:
        """(n, f) float32 standardised."""
        return np.asarray((vectors - self.mean) / self.scale, dtype=np.float32)


def split_by_artist(artist: Ints, validation_share: float, seed: int) -> Bools:
    """(n,) True for tracks kept aside: whole artists, drawn at random until the share is reached, never passed.

    An artist with more tracks than there is room for is trained on; so none is kept aside where one made everything.
    """
    names, place, size = np.unique(artist, return_inverse=True, return_counts=True)
    room = round(validation_share * len(artist))
    aside = np.zeros(len(names), dtype=bool)
    for name in np.random.default_rng(seed).permutation(len(names)):
        if size[name] <= room:
            aside[name] = True
            room -= int(size[name])
    if aside.all():
        aside[:] = False
    return np.asarray(aside[place])
