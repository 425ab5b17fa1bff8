"""Listeners: who they are, what they care for, how much they play. Drawn chunk by chunk.

Belongs here: people and their latent taste.
Does not: single plays (listening.py), the landing table of users (people_tables.py).
"""

from dataclasses import dataclass

import numpy as np

from models_ml.demo_world.draws import Bools, Floats, Ints, Random, choose, choose_each, generator
from models_ml.demo_world.genres import GENRES, MARKETS, neighbour_table, zone_chances
from models_ml.demo_world.latent import LISTENER_SPREAD, SCENES_PER_GENRE, Space, scatter
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.size import DAY_MS, WorldSize

# Listeners are drawn in chunks of one size, so that what a chunk holds doesn't depend on how many there are.
_CHUNK_LISTENERS = 2_000
# About as many plays fit into the memory of a small machine together with everything made of them.
_CHUNK_PLAYS = 400_000
# Where a listener stands in a mode: at the beginning of the history, at its end, and next door.
POINTS = 3
AT_START, AT_END, NEXT_DOOR = range(POINTS)
USUAL, REGISTERED_ONLY, EVENTS_ONLY, TOTALS_ONLY = range(4)
PROFILES = 4
_REGISTERED_YEARS_AGO = 6
_NEIGHBOUR_MODE = 0.5
# How far the place of a mode moves for a log weight of drift.
_DRIFT_DISTANCE = 0.5


def chunk_listeners(params: WorldParams) -> int:
    """Listeners of a chunk: fewer where each plays a lot."""
    return max(1, min(_CHUNK_LISTENERS, int(_CHUNK_PLAYS / params.plays_per_listener_mean)))


@dataclass(frozen=True)
class Listeners:
    """A chunk of listeners; arrays of (listeners,) unless said otherwise.

    first: position of the chunk's first listener in the world.  kind: USUAL to TOTALS_ONLY.
    adventurousness: 0 to 1.  novelty: love of the new, -1 to 1.  plays: how many they aim at.
    registered_ms: may lie before the history.  profile: which hours they listen at.
    mode_genre: (listeners, modes), -1 where there is no such mode.  mode_weight: (listeners, modes, 2) shares
    at the beginning and the end of the history.  point_genre: (listeners, modes, POINTS).
    point: (listeners, modes, POINTS, dimensions) thousandths.
    """

    first: int
    kind: Ints
    market: Ints
    zone: Ints
    profile: Ints
    allow_explicit: Bools
    adventurousness: Floats
    novelty: Floats
    plays: Ints
    registered_ms: Ints
    mode_genre: Ints
    mode_weight: Floats
    point_genre: Ints
    point: Ints

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def positions(self) -> Ints:
        """Positions of these listeners in the world."""
        return self.first + np.arange(len(self))


def draw_listeners(seed: int, first: int, count: int, space: Space, size: WorldSize, params: WorldParams) -> Listeners:
    """The chunk of `count` listeners that begins at `first`, a multiple of chunk_listeners."""
    random = generator(seed, "listeners", first // chunk_listeners(params))
    chances = [params.registered_only_share, params.events_only_share, params.play_counts_share]
    kind = choose(random, np.array([1 - sum(chances), *chances]), count)
    market = choose(random, np.array([market.weight for market in MARKETS]), count)
    registered_ms = _registered(random, count, size, params)
    mode_genre = _mode_genres(random, count, params.taste_modes_max)
    point_genre, point = _points(random, mode_genre, space, size, params)
    novelty = params.novelty_mean + params.novelty_spread * random.standard_normal(count)
    return Listeners(
        first=first,
        kind=kind,
        market=market,
        zone=choose_each(random, zone_chances()[market]),
        profile=random.integers(0, PROFILES, count),
        allow_explicit=random.random(count) < 0.88,
        adventurousness=np.round(random.beta(2.0, 3.0, count), 2),
        novelty=np.clip(np.round(novelty, 3), -1, 1),
        plays=_plays(random, registered_ms, size, params),
        registered_ms=registered_ms,
        mode_genre=mode_genre,
        mode_weight=_mode_weights(random, mode_genre, size, params),
        point_genre=point_genre,
        point=point,
    )


def _registered(random: Random, count: int, size: WorldSize, params: WorldParams) -> Ints:
    """Years ago for most, any time in the history for the new ones."""
    years_ago = size.start_ms - random.random(count) ** 1.5 * _REGISTERED_YEARS_AGO * 365 * DAY_MS
    in_history = size.start_ms + random.random(count) * (size.end_ms - size.start_ms)
    new = random.random(count) < params.new_listeners_share
    # Whole seconds: that is what a service's user table holds.
    return np.where(new, in_history, years_ago).astype(np.int64) // 1_000 * 1_000


def _plays(random: Random, registered_ms: Ints, size: WorldSize, params: WorldParams) -> Ints:
    """Lognormal with the mean of the parameters, less for those who came during the history."""
    spread = params.plays_spread
    factor = np.exp(spread * random.standard_normal(len(registered_ms)) - spread**2 / 2)
    here = (size.end_ms - np.maximum(registered_ms, size.start_ms)) / (size.end_ms - size.start_ms)
    return np.maximum(1, np.rint(params.plays_per_listener_mean * factor * here)).astype(np.int64)


def _mode_genres(random: Random, count: int, most: int) -> Ints:
    """(listeners, most) one to `most` different genres each, -1 beyond; half of the later ones related."""
    weights = np.array([genre.weight for genre in GENRES])
    table, _ = neighbour_table()
    how_many = 1 + choose(random, np.array([3, 4, 3, 2, 1, 1])[:most], count)
    genres = choose(random, weights, count * most).reshape(count, most)
    related = table[genres[:, [0]], random.integers(0, table.shape[1], (count, most))]
    genres[:, 1:] = np.where(random.random((count, most)) < _NEIGHBOUR_MODE, related, genres)[:, 1:]
    for mode in range(1, most):
        again = (genres[:, :mode] == genres[:, [mode]]).any(axis=1)
        genres[again, mode] = -1
    return np.where(np.arange(most) < how_many[:, None], genres, -1)


def _mode_weights(random: Random, mode_genre: Ints, size: WorldSize, params: WorldParams) -> Floats:
    """(listeners, modes, 2) shares of the modes before and after the drift; none for missing modes."""
    start = random.gamma(2.0, 1.0, mode_genre.shape) + 0.2
    start[:, 0] += 1.0
    move = params.drift_per_week * size.history_weeks * random.standard_normal(mode_genre.shape) * 2
    weights = np.stack([start, start * np.exp(np.clip(move, -3, 3))], axis=2)
    weights = np.where((mode_genre >= 0)[:, :, None], weights, 0.0)
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares


def _points(random: Random, mode_genre: Ints, space: Space, size: WorldSize, params: WorldParams) -> tuple[Ints, Ints]:
    """Genres (listeners, modes, POINTS) and places (listeners, modes, POINTS, dimensions) of the modes."""
    table, counts = neighbour_table()
    home = np.maximum(mode_genre, 0)
    next_door = table[home, random.integers(0, 1_000_000, home.shape) % counts[home]]
    genres = np.stack([home, home, next_door], axis=2)
    scenes = genres * SCENES_PER_GENRE + random.integers(0, SCENES_PER_GENRE, genres.shape)
    scenes[:, :, AT_END] = scenes[:, :, AT_START]
    flat = home.size
    own = scatter(random, flat, LISTENER_SPREAD)
    moved = own + scatter(random, flat, _DRIFT_DISTANCE * params.drift_per_week * size.history_weeks)
    away = scatter(random, flat, LISTENER_SPREAD)
    offsets = np.stack([own, moved, away], axis=1).reshape(*home.shape, POINTS, -1)
    points = space.scenes[scenes] + offsets
    return np.where((mode_genre >= 0)[:, :, None], genres, -1), points.astype(np.int32)
