"""Random numbers that are a function of who and what they are for.

Belongs here: numbers by listener, draw and use, the choice they make among weights. Does not: weights.

Counter-based (SplitMix64's finaliser over a key): a listener's numbers depend on no other listener, on no block and on
no order, so that a list can be drawn again alone.
Source: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
"""

from enum import IntEnum

import numpy as np

from models_ml.arrays import Floats, Ints

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Use(IntEnum):
    """What a number is for; a draw has one of each."""

    ARM = 0
    TRACK = 1
    LISTENER = 2


def keys(hashes: Ints, seed: int) -> Ints:
    """(n,) uint64 key of each listener for one seed.  hashes: (n,) uint64 of their ids."""
    return _mixed(hashes ^ _mixed(np.full(1, seed, dtype=np.uint64) * _GOLDEN))


def uniforms(key: Ints, draw: int, use: Use) -> Floats:
    """(b,) float64 in [0, 1), 53 bits.  draw: from 0."""
    counter = np.full(1, draw * len(Use) + use + 1, dtype=np.uint64) * _GOLDEN
    return np.asarray((_mixed(key + counter) >> np.uint64(11)) * 2.0**-53)


def chosen_by(weights: Floats, uniform: Floats) -> tuple[Ints, Floats]:
    """((b,) place drawn, (b,) its chance), by weights of which each row has one above 0.  weights: (b, k).

    Sums run from left to right, so that what is padded on the right changes no bit of them.
    """
    upto = weights.cumsum(axis=1)
    total = upto[:, -1]
    # Rounded up, the product could be the total, which nothing exceeds.
    place = (upto > np.minimum(uniform * total, np.nextafter(total, 0.0))[:, None]).argmax(axis=1)
    return place, weights[np.arange(len(weights)), place] / total


def _mixed(state: Ints) -> Ints:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(state ^ (state >> np.uint64(31)))
