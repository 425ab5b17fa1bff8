"""Weeks of listeners who love one block of recordings each, and what they hear next, for the tests.

Belongs here: building features, lists and truth. Does not: expectations.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models_ml.features import WeekFeatures
from tests.models_ml.feature_worlds import World, table

TRUTH_SCHEMA = pa.schema(
    {"user_id": pa.string(), "recording_id": pa.string(), "kept": pa.bool_(), "via_own_playlist": pa.bool_()}
)
LISTS_SCHEMA = pa.schema({"user_id": pa.string(), "position": pa.int32(), "recording_id": pa.string()})


def world_of(
    liked: list[list[int]],
    recordings: int,
    *,
    confidence: float = 2.0,
    recent: list[int] | None = None,
    explicit: list[int] | None = None,
    blocked: list[tuple[int, int]] | None = None,
    disliked: list[list[int]] | None = None,
) -> World:
    """A week in which listener i likes, and has heard, liked[i]; every recording is by an artist of its own."""
    known = [(user, recording) for user, owned in enumerate(liked) for recording in sorted(owned)]
    heard_by = np.zeros(recordings, dtype=np.int64)
    np.add.at(heard_by, [recording for _, recording in known], 1)
    return World(
        listeners=table(
            "listeners",
            user_index=range(len(liked)),
            user_id=[user_id(user) for user in range(len(liked))],
            market=[None] * len(liked),
            allow_explicit=[False] * len(liked),
            allow_exploration=[True] * len(liked),
        ),
        recordings=_recordings(heard_by, recent),
        editions=_editions(recordings, explicit or []),
        interactions=_interactions(liked, disliked or [], confidence),
        exclusions=table(
            "exclusions",
            user_index=[user for user, _ in known],
            recording_index=[recording for _, recording in known],
            rule_id=["heard"] * len(known),
        ),
        blocked_artists=table(
            "blocked_artists",
            user_index=[user for user, _ in blocked or []],
            artist_index=[artist for _, artist in blocked or []],
        ),
        known_artists=table("known_artists"),
        market_popularity=table(
            "market_popularity",
            market=[""] * recordings,
            recording_index=range(recordings),
            listener_count=[1] * recordings,
            rank=range(1, recordings + 1),
        ),
    )


def _recordings(heard_by: np.ndarray, recent: list[int] | None) -> pa.Table:
    count = len(heard_by)
    return table(
        "recordings",
        recording_index=range(count),
        recording_id=[recording_id(place) for place in range(count)],
        age_days=[100] * count,
        idle_days=[None] * count,
        listener_count=heard_by,
        recent_listener_count=recent or heard_by,
        popularity_percentile=np.searchsorted(np.sort(heard_by), heard_by) / max(count - 1, 1),
        is_boosted=[False] * count,
    )


def _editions(recordings: int, explicit: list[int]) -> pa.Table:
    return table(
        "editions",
        edition_index=range(recordings),
        recording_index=range(recordings),
        artist_index=range(recordings),
        artist_indexes=[[place] for place in range(recordings)],
        album_index=[-1] * recordings,
        explicit=[place in explicit for place in range(recordings)],
        markets=[None] * recordings,
        unavailable_rule=[None] * recordings,
    )


def _interactions(liked: list[list[int]], disliked: list[list[int]], confidence: float) -> pa.Table:
    pairs = sorted(
        (user, recording, sign)
        for sign, lists in ((1, liked), (-1, disliked))
        for user, owned in enumerate(lists)
        for recording in owned
    )
    return table(
        "interactions",
        user_index=[user for user, _, _ in pairs],
        recording_index=[recording for _, recording, _ in pairs],
        confidence=[confidence] * len(pairs),
        preference=[sign for _, _, sign in pairs],
    )


def user_id(place: int) -> str:
    return f"user_{place:05}"


def recording_id(place: int) -> str:
    return f"recording_{place:05}"


def lists_table(lists: dict[int, list[int]]) -> pa.Table:
    """Lists by listener, best first; a recording at or above the world's is not in its catalogue."""
    rows = [
        (user_id(user), position, recording_id(recording))
        for user, listed in lists.items()
        for position, recording in enumerate(listed, start=1)
    ]
    return _table(rows, LISTS_SCHEMA)


def truth_table(rows: list[tuple[int, int, bool, bool]]) -> pa.Table:
    """(listener, recording, kept, via_own_playlist) as the truth table."""
    return _table([(user_id(user), recording_id(recording), *flags) for user, recording, *flags in rows], TRUTH_SCHEMA)


def _table(rows: list[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [[] for _ in schema]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


@dataclass(frozen=True)
class BlockWorld:
    """Listeners of a few blocks.

    features: the week.  block_of: (n,) block of each listener, whose recordings are block x size and on.
    unheard: (n, u) recordings of the listener's own block not heard yet, the truth drawn from them.
    """

    features: WeekFeatures
    block_of: np.ndarray
    unheard: np.ndarray


def block_world(seed: int, blocks: int = 4, listeners: int = 30, size: int = 40, heard: int = 15) -> BlockWorld:
    """In each block, so many listeners who have heard and like `heard` of its `size` recordings."""
    random = np.random.default_rng(seed)
    block_of = np.repeat(np.arange(blocks), listeners)
    shuffled = np.stack([random.permutation(size) for _ in block_of]) + block_of[:, None] * size
    liked = [sorted(row[:heard].tolist()) for row in shuffled]
    return BlockWorld(world_of(liked, blocks * size).features(), block_of, shuffled[:, heard:])
