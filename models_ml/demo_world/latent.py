"""Latent taste space: where genres, scenes, artists and tracks lie. In whole thousandths.

Belongs here: the space's dimensions, scatter around centres, distances.
Does not: catalogue columns (catalogue.py), listeners (listeners.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.draws import Floats, Ints, Random
from models_ml.demo_world.genres import GENRE_COUNT, neighbour_table

DIMENSIONS = 16
SCENES_PER_GENRE = 4
# Thousandths stand for one: integer distances don't depend on the order of summing.
UNIT = 1_000
SCENE_SPREAD = 0.55
ARTIST_SPREAD = 0.25
ALBUM_SPREAD = 0.10
TRACK_SPREAD = 0.22
LISTENER_SPREAD = 0.25
# How far a genre is pulled towards its neighbours.
_NEIGHBOUR_PULL = 0.35


@dataclass(frozen=True)
class Space:
    """genres: (genres, dimensions) and scenes: (genres * scenes, dimensions) int32 thousandths, by genre."""

    genres: Ints
    scenes: Ints


def draw_space(random: Random) -> Space:
    """Centres of genres, related ones nearer to each other, and of the scenes inside them."""
    base = _unit_length(random.standard_normal((GENRE_COUNT, DIMENSIONS)))
    table, counts = neighbour_table()
    pull = base[table].sum(axis=1) - base * (table.shape[1] - counts)[:, None]
    genres = to_units(_unit_length(base + _NEIGHBOUR_PULL * pull))
    scenes = np.repeat(genres, SCENES_PER_GENRE, axis=0)
    return Space(genres, scenes + scatter(random, len(scenes), SCENE_SPREAD))


def scatter(random: Random, count: int, spread: float) -> Ints:
    """(count, dimensions) offsets whose length is about `spread`, int32 thousandths."""
    return to_units(random.standard_normal((count, DIMENSIONS)) * (spread / DIMENSIONS**0.5))


def to_units(values: Floats) -> Ints:
    """Floats as whole thousandths, int32."""
    return np.rint(values * UNIT).astype(np.int32)


def squared_distance(left: Ints, right: Ints) -> Floats:
    """Squared distance of rows, (..., dimensions) thousandths in, exact sums, float64 out."""
    difference = left - right
    squares = np.einsum("...d,...d->...", difference, difference, dtype=np.int64)
    distances: Floats = squares / float(UNIT * UNIT)
    return distances


def squared_distances(points: Ints, others: Ints) -> Floats:
    """(points, others) squared distances; products of whole numbers below 2**53 are exact in any order."""
    left, right = points.astype(np.float64), others.astype(np.float64)
    both = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :]
    distances: Floats = (both - 2.0 * left @ right.T) / float(UNIT * UNIT)
    return distances


def _unit_length(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return unit
