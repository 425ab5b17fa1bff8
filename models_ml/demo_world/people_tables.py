"""Listeners as landing tables: users and subscriptions, and the truth about them.

Belongs here: the contract's columns for people.
Does not: drawing people (listeners.py).
"""

import numpy as np
import pyarrow as pa

from models_ml.demo_world.catalogue_tables import CatalogueIds, lists, moments, texts
from models_ml.demo_world.choices import Chooser
from models_ml.demo_world.draws import Bools, Ints, Random
from models_ml.demo_world.genres import GENRE_COUNT, GENRE_NAMES, MARKET_CODES, ZONE_NAMES
from models_ml.demo_world.ids import user_ids
from models_ml.demo_world.listeners import AT_END, EVENTS_ONLY, POINTS, Listeners
from models_ml.demo_world.size import DAY_MS, WorldSize

_FAVOURITE_ARTISTS = 3
_KIND_NAMES = np.array(["usual", "registered_only", "events_only", "totals_only"], dtype=object)
_TRIAL_DAYS = 30


def user_table(random: Random, chooser: Chooser, ids: CatalogueIds) -> pa.Table:
    """`users`: everyone but those who only appear in events."""
    listeners = chooser.listeners
    count = len(listeners)
    names = random.random(count) < chooser.params.favourites_share
    table = pa.table(
        {
            "user_id": user_ids(listeners.positions),
            "registered_at": moments(listeners.registered_ms, random.random(count) >= 0.01),
            "market": texts(MARKET_CODES[listeners.market], random.random(count) >= 0.02),
            "timezone": texts(ZONE_NAMES[listeners.zone], random.random(count) >= 0.05),
            "allow_explicit": pa.array(
                listeners.allow_explicit, mask=listeners.allow_explicit & (random.random(count) < 0.2)
            ),
            "favourite_artist_ids": _favourite_artists(random, chooser, ids, names),
            "favourite_genres": _favourite_genres(random, listeners, names),
            "allow_exploration": pa.array(random.random(count) < 0.92),
            "adventurousness": pa.array(listeners.adventurousness, mask=random.random(count) < 0.4),
        }
    )
    return table.filter(pa.array(listeners.kind != EVENTS_ONLY))


def _favourite_artists(random: Random, chooser: Chooser, ids: CatalogueIds, names: Bools) -> pa.Array:
    """Up to three artists of the listener's first taste, null for those who named none."""
    listeners = chooser.listeners
    genre = listeners.point_genre[:, 0, AT_END]
    row = np.arange(len(listeners)) * listeners.mode_genre.shape[1] * POINTS + AT_END
    drawn = [
        chooser.catalogue.artists.first[genre] + chooser.choice.draw(random, row) for _ in range(_FAVOURITE_ARTISTS)
    ]
    artists = np.stack(drawn, axis=1)
    new = np.ones(artists.shape, dtype=bool)
    for place in range(1, _FAVOURITE_ARTISTS):
        new[:, place] = (artists[:, :place] != artists[:, [place]]).all(axis=1)
    new &= names[:, None]
    return lists(ids.artist.take(pa.array(artists[new])), new.sum(axis=1), names)


def _favourite_genres(random: Random, listeners: Listeners, names: Bools) -> pa.Array:
    """The genres of the first one or two tastes, null for those who named none."""
    genres = listeners.mode_genre[:, :2]
    there = (genres >= 0) & names[:, None]
    return lists(texts(GENRE_NAMES[genres[there]]), there.sum(axis=1), names)


def subscription_table(random: Random, listeners: Listeners, size: WorldSize) -> pa.Table:
    """`subscriptions`: a trial for some, a subscription for some of them, an end for some of those."""
    count = len(listeners)
    tries = (random.random(count) < 0.45) & (listeners.kind != EVENTS_ONLY)
    stays = tries & (random.random(count) < 0.6)
    leaves = stays & (random.random(count) < 0.25)
    trial_ms = listeners.registered_ms + random.integers(0, 60, count) * DAY_MS
    subscribe_ms = trial_ms + _TRIAL_DAYS * DAY_MS
    cancel_ms = subscribe_ms + random.integers(1, 18, count) * 30 * DAY_MS
    users, kinds, when = [], [], []
    for name, who, at_ms in (
        ("trial", tries, trial_ms),
        ("subscribe", stays, subscribe_ms),
        ("cancel", leaves, cancel_ms),
    ):
        rows = np.flatnonzero(who & (at_ms < size.end_ms))
        users.append(listeners.positions[rows])
        kinds.append(np.full(len(rows), name, dtype=object))
        when.append(at_ms[rows])
    user, kind, moment = np.concatenate(users), np.concatenate(kinds), np.concatenate(when)
    order = np.lexsort((moment, user))
    return pa.table(
        {"user_id": user_ids(user[order]), "event": texts(kind[order]), "occurred_at": moments(moment[order])}
    )


def truth_table(listeners: Listeners) -> pa.Table:
    """One row per listener: what they really care for at the end of the history; not for landing.

    vector is the mean of the places of their tastes by weight, mode_vectors are these places; genre_shares goes by
    genres.GENRES.
    """
    weights = listeners.mode_weight[:, :, 1]
    vector = np.einsum("lm,lmd->ld", weights, listeners.point[:, :, AT_END].astype(np.float64)) / 1_000
    shares = _genre_shares(listeners, weights)
    return pa.table(
        {
            "user_id": user_ids(listeners.positions),
            "kind": texts(_KIND_NAMES[listeners.kind]),
            "vector": _vectors(np.round(vector, 4)),
            "genre_shares": _vectors(np.round(shares, 4)),
            "mode_genres": _per_mode(listeners, texts(GENRE_NAMES[_modes(listeners, listeners.mode_genre)])),
            "mode_weights": _per_mode(listeners, pa.array(np.round(_modes(listeners, weights), 4), pa.float32())),
            "mode_vectors": _per_mode(listeners, _vectors(_modes(listeners, listeners.point[:, :, AT_END]) / 1_000)),
            "novelty": pa.array(listeners.novelty),
            "adventurousness": pa.array(listeners.adventurousness),
            "plays_aimed_at": pa.array(listeners.plays),
        }
    )


def _modes(listeners: Listeners, values: np.ndarray) -> np.ndarray:
    return values[listeners.mode_genre >= 0]


def _per_mode(listeners: Listeners, flat: pa.Array) -> pa.Array:
    return lists(flat, (listeners.mode_genre >= 0).sum(axis=1))


def _vectors(rows: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1), pa.float32()), rows.shape[1])


def _genre_shares(listeners: Listeners, weights: np.ndarray) -> np.ndarray:
    """(listeners, genres) weights of the modes by genre."""
    shares = np.zeros((len(listeners), GENRE_COUNT))
    rows: Ints = np.arange(len(listeners))
    for mode in range(weights.shape[1]):
        there = listeners.mode_genre[:, mode] >= 0
        np.add.at(shares, (rows[there], listeners.mode_genre[there, mode]), weights[there, mode])
    return shares
