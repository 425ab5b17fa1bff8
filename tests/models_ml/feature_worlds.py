"""Small made-up weeks for the tests: feature tables with listeners of a few tastes.

Belongs here: building feature tables, plain or at random.
Does not: expectations.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from models_ml.features import WeekFeatures, read_features

SCHEMAS = {
    "listeners": {
        "user_index": pa.int32(),
        "user_id": pa.string(),
        "market": pa.string(),
        "allow_explicit": pa.bool_(),
        "allow_exploration": pa.bool_(),
    },
    "recordings": {
        "recording_index": pa.int32(),
        "recording_id": pa.string(),
        "age_days": pa.int32(),
        "idle_days": pa.int32(),
        "listener_count": pa.int64(),
        "recent_listener_count": pa.int64(),
        "popularity_percentile": pa.float64(),
        "is_boosted": pa.bool_(),
    },
    "editions": {
        "edition_index": pa.int32(),
        "recording_index": pa.int32(),
        "artist_index": pa.int32(),
        "artist_indexes": pa.list_(pa.int32()),
        "album_index": pa.int32(),
        "explicit": pa.bool_(),
        "markets": pa.list_(pa.string()),
        "unavailable_rule": pa.string(),
    },
    "interactions": {
        "user_index": pa.int32(),
        "recording_index": pa.int32(),
        "confidence": pa.float32(),
        "preference": pa.int8(),
    },
    "exclusions": {"user_index": pa.int32(), "recording_index": pa.int32(), "rule_id": pa.string()},
    "blocked_artists": {"user_index": pa.int32(), "artist_index": pa.int32()},
    "known_artists": {
        "user_index": pa.int32(),
        "artist_index": pa.int32(),
        "prior_plays": pa.int64(),
        "prior_tracks": pa.int64(),
    },
    "market_popularity": {
        "market": pa.string(),
        "recording_index": pa.int32(),
        "listener_count": pa.int64(),
        "rank": pa.int32(),
    },
}


def table(name: str, **columns: Any) -> pa.Table:
    """One feature table, typed; columns not given are empty."""
    schema = pa.schema(SCHEMAS[name])
    return pa.table({field.name: pa.array(columns.get(field.name, []), field.type) for field in schema})


@dataclass(frozen=True)
class World:
    """The eight tables of a week."""

    listeners: pa.Table
    recordings: pa.Table
    editions: pa.Table
    interactions: pa.Table
    exclusions: pa.Table
    blocked_artists: pa.Table
    known_artists: pa.Table
    market_popularity: pa.Table

    def features(self) -> WeekFeatures:
        """The tables as arrays."""
        return read_features(**vars(self))

    def replaced(self, **tables: pa.Table) -> "World":
        """The world with some tables exchanged."""
        return replace(self, **tables)


def random_world(
    seed: int,
    listeners: int = 40,
    recordings: int = 200,
    artists: int = 60,
    per_listener: int = 12,
    restrictions: bool = True,
) -> World:
    """A week at random; with restrictions, some editions are explicit, restricted or unavailable."""
    random = np.random.default_rng(seed)
    interactions = _interactions(random, listeners, recordings, per_listener)
    editions = _editions(random, recordings, artists, restrictions)
    return World(
        listeners=_listeners(random, listeners),
        recordings=_recordings(random, recordings, interactions),
        editions=editions,
        interactions=interactions,
        exclusions=_exclusions(random, interactions),
        blocked_artists=_blocked(random, listeners, artists, restrictions),
        known_artists=_known(interactions, editions, listeners),
        market_popularity=_popularity(random, recordings),
    )


def _listeners(random: np.random.Generator, count: int) -> pa.Table:
    return table(
        "listeners",
        user_index=np.arange(count),
        user_id=[f"user_{place:07}" for place in range(count)],
        market=np.array(["SE", "JP", None], dtype=object)[random.integers(0, 3, count)],
        allow_explicit=random.random(count) < 0.7,
        allow_exploration=np.ones(count, dtype=bool),
    )


def _interactions(random: np.random.Generator, listeners: int, recordings: int, per_listener: int) -> pa.Table:
    taste = random.integers(0, 8, listeners)
    owner = np.repeat(np.arange(listeners), random.poisson(per_listener, listeners))
    genre = np.where(random.random(len(owner)) < 0.8, taste[owner], random.integers(0, 8, len(owner)))
    within = (random.random(len(owner)) ** 2 * (-(-recordings // 8))).astype(np.int64)
    keys = np.unique(owner * recordings + np.minimum(within * 8 + genre, recordings - 1))
    return table(
        "interactions",
        user_index=keys // recordings,
        recording_index=keys % recordings,
        confidence=(1.0 + 5.0 * random.random(len(keys))).astype(np.float32),
        preference=np.where(random.random(len(keys)) < 0.08, -1, 1),
    )


def _recordings(random: np.random.Generator, count: int, interactions: pa.Table) -> pa.Table:
    heard = np.bincount(interactions.column("recording_index").to_numpy(), minlength=count)
    ages = random.integers(0, 2000, count)
    ages[random.random(count) < 0.1] = 5
    return table(
        "recordings",
        recording_index=np.arange(count),
        recording_id=[f"recording_{place:07}" for place in range(count)],
        age_days=pa.array(ages, pa.int32(), mask=random.random(count) < 0.1),
        idle_days=pa.array(ages % 90, pa.int32(), mask=heard == 0),
        listener_count=heard,
        recent_listener_count=heard // 2,
        popularity_percentile=np.searchsorted(np.sort(heard), heard) / max(count - 1, 1),
        is_boosted=np.arange(count) % 40 == 3,
    )


def _editions(random: np.random.Generator, recordings: int, artists: int, restrictions: bool) -> pa.Table:
    recording = np.repeat(np.arange(recordings), 1 + (random.random(recordings) < 0.2))
    count = len(recording)
    artist = (recording * 7919) % artists
    guest = random.integers(0, artists, count)
    featured = random.random(count) < 0.2
    chance = random.random(count) if restrictions else np.ones(count)
    return table(
        "editions",
        edition_index=np.arange(count),
        recording_index=recording,
        artist_index=artist,
        artist_indexes=[[a, g] if f else [a] for a, g, f in zip(artist, guest, featured, strict=True)],
        album_index=np.where(random.random(count) < 0.1, -1, recording // 5),
        explicit=(chance > 0.3) & (chance < 0.4),
        markets=[["SE"] if c < 0.05 else ["JP", "US"] if c < 0.08 else None for c in chance],
        unavailable_rule=["taken_down" if 0.1 < c < 0.13 else "embargoed" if 0.13 < c < 0.15 else None for c in chance],
    )


def _exclusions(random: np.random.Generator, interactions: pa.Table) -> pa.Table:
    rules = np.array(["heard", "heard", "skipped_twice", "sampled", "recommended", "blocked_track"])
    return table(
        "exclusions",
        user_index=interactions.column("user_index"),
        recording_index=interactions.column("recording_index"),
        rule_id=rules[random.integers(0, len(rules), interactions.num_rows)],
    )


def _blocked(random: np.random.Generator, listeners: int, artists: int, restrictions: bool) -> pa.Table:
    count = listeners // 4 if restrictions else 0
    keys = np.unique(random.integers(0, listeners * artists, count))
    return table("blocked_artists", user_index=keys // artists, artist_index=keys % artists)


def _known(interactions: pa.Table, editions: pa.Table, listeners: int) -> pa.Table:
    first = np.unique(editions.column("recording_index").to_numpy(), return_index=True)[1]
    artist = editions.column("artist_index").to_numpy()[first]
    width = int(artist.max(initial=0)) + 1
    owner = interactions.column("user_index").to_numpy().astype(np.int64)
    keys, plays = np.unique(
        owner * width + artist[interactions.column("recording_index").to_numpy()], return_counts=True
    )
    return table(
        "known_artists", user_index=keys // width, artist_index=keys % width, prior_plays=plays, prior_tracks=plays
    )


def _popularity(random: np.random.Generator, recordings: int) -> pa.Table:
    lists = [("", random.permutation(recordings)), ("SE", random.permutation(recordings)[: recordings // 3])]
    return table(
        "market_popularity",
        market=[market for market, members in lists for _ in members],
        recording_index=np.concatenate([members for _, members in lists]),
        listener_count=np.concatenate([np.arange(len(members), 0, -1) for _, members in lists]),
        rank=np.concatenate([np.arange(1, len(members) + 1) for _, members in lists]),
    )
