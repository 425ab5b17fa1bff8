"""The tables that making playlists gives: slots, what gave way, and the best by score alone.

Belongs here: their schemas, and columns that need no more than codes. Does not: what goes into them (playlists.py).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints
from models_ml.assembly import PLAYLIST_LENGTH, Draws, Slate, is_full
from models_ml.giving_way import Relaxations
from models_ml.ranker.features import FEATURES, POSITION, RANKING_FEATURES_SCHEMA, TOLD
from models_ml.rules import RUNGS, SOURCES, TOO_FEW_TRACKS
from models_ml.slates import LaidOut

SLOTS_SCHEMA = pa.schema(
    {
        "user_index": pa.int32(),
        "position": pa.int8(),
        "recording_index": pa.int32(),
        "edition_index": pa.int32(),
        "listener_rung": pa.string(),
        "track_rung": pa.string(),
        "candidate_sources": pa.list_(pa.string()),
        "primary_source": pa.string(),
        "is_new_artist": pa.bool_(),
        "artist_prior_plays": pa.int64(),
        "popularity_percentile": pa.float64(),
        "final_score": pa.float64(),
        "contribution_collaborative": pa.float64(),
        "contribution_artist_affinity": pa.float64(),
        "contribution_text": pa.float64(),
        "contribution_audio": pa.float64(),
        "contribution_popularity": pa.float64(),
        "contribution_freshness": pa.float64(),
        "contribution_boost": pa.float64(),
        "contribution_demand": pa.float64(),
        "contribution_genre_affinity": pa.float64(),
        "contribution_context": pa.float64(),
        "p_complete": pa.float64(),
        "p_save": pa.float64(),
        "p_skip": pa.float64(),
        "reason_code": pa.string(),
        "reason_genre": pa.string(),
        "anchor_recording_index": pa.int32(),
        "shared_playlist_index": pa.int32(),
        "is_refill": pa.bool_(),
        "genres": pa.list_(pa.string()),
        "genres_are_guessed": pa.bool_(),
        "slot_kind": pa.string(),
        "segment": pa.string(),
        "arm_id": pa.string(),
        "p_arm": pa.float64(),
        "open_arms": pa.list_(pa.string()),
        "open_arm_chances": pa.list_(pa.float64()),
        "p_track": pa.float64(),
        "feasible_count": pa.int32(),
        "draw_number": pa.int8(),
        "propensity_valid": pa.bool_(),
    }
)
RELAXATIONS_SCHEMA = pa.schema(
    {
        "user_index": pa.int32(),
        "rule_id": pa.string(),
        "step": pa.int32(),
        "limit_from": pa.float64(),
        "limit_to": pa.float64(),
    }
)

_DISTANCES = ("genre_kl", "genre_kl_least", "popularity_kl", "popularity_kl_least")
MIXES_SCHEMA = pa.schema({"user_index": pa.int32(), **dict.fromkeys(_DISTANCES, pa.float64())})

RANKED_SCHEMA = pa.schema({"user_index": pa.int32(), "position": pa.int32(), "recording_index": pa.int32()})


@dataclass(frozen=True)
class PlaylistTables:
    """slots: one row per listener and position (SLOTS_SCHEMA); thirty a listener or none.

    relaxations: one row per listener, rule and step that gave way, and one too_few_tracks row for each
    listener without a playlist (RELAXATIONS_SCHEMA).
    ranked: the thirty best of each listener before any cap or soft rule (RANKED_SCHEMA).
    mixes: one row per list: how far its genres, and its tracks' popularity, are from its listener's, and the
    least far there is (MIXES_SCHEMA).
    logged: one row per sampled listener and candidate that their vector found (RANKING_FEATURES_SCHEMA).
    ablated: of listeners of another sample, the best by each family of the score alone and without it (ABLATED_SCHEMA).
    """

    slots: pa.Table
    relaxations: pa.Table
    ranked: pa.Table
    mixes: pa.Table
    logged: pa.Table
    ablated: pa.Table


def by_listener(some: PlaylistTables, others: PlaylistTables) -> PlaylistTables:
    """Both as one, each table in the order of the listeners."""
    relaxations, logged = (
        pa.concat_tables([getattr(some, name), getattr(others, name)]) for name in ("relaxations", "logged")
    )
    slots, ranked, mixes, ablated = (
        _interleaved(getattr(some, name), getattr(others, name)) for name in ("slots", "ranked", "mixes", "ablated")
    )
    logged = logged.sort_by([("user_id", "ascending"), ("recording_id", "ascending")])
    return PlaylistTables(slots, relaxations, ranked, mixes, logged, ablated)


def _interleaved(some: pa.Table, others: pa.Table) -> pa.Table:
    """Rows of two tables in the order of their listeners, of whom none is in both; rows of one stay as they were.

    Cut where another's rows go: sorting takes every column of every row apart, for the few lists that gave way.
    """
    at = np.searchsorted(some["user_index"].to_numpy(), others["user_index"].to_numpy())
    cuts = np.flatnonzero(np.diff(at)) + 1
    parts, last = [], 0
    for start, stop in pairwise([0, *cuts.tolist(), len(at)]):
        if stop > start:
            parts += [some.slice(last, at[start] - last), others.slice(start, stop - start)]
            last = int(at[start])
    return pa.concat_tables([*parts, some.slice(last)]).combine_chunks()


def mixes_table(listeners: Ints, found: tuple[Floats, ...] = ()) -> pa.Table:
    """A row per list; null for listeners of whom nothing is known, and for what was not measured."""
    nothing = (np.full(len(listeners), np.nan),) * (len(_DISTANCES) - len(found))
    numbers = [pa.array(values, pa.float64(), mask=np.isnan(values)) for values in (*found, *nothing)]
    return pa.table([pa.array(listeners, pa.int32()), *numbers], schema=MIXES_SCHEMA)


def logged_table(
    user_id: pa.Array, recording_id: pa.Array, values: Floats, position: Floats, rungs: Ints, score: Floats
) -> pa.Table:
    """A row per candidate.

    values: (c, features).  position: (c,) NaN for those not given.  rungs: (c,) codes of rules.RUNGS, what each would
    stand on.  score: the linear one.
    """
    parts = {name: np.ascontiguousarray(values[:, FEATURES.index(name)]) for name in TOLD}
    told = {name: pa.array(part, pa.float32(), mask=np.isnan(part)) for name, part in parts.items()}
    given = pa.array(np.nan_to_num(position), pa.int8(), mask=np.isnan(position), safe=False)
    columns = {"user_id": user_id, "recording_id": recording_id, POSITION: given, "rung": rung_names(rungs), **told}
    return pa.table({**columns, "linear_score": score.astype(np.float32)}, schema=RANKING_FEATURES_SCHEMA)


def ranked_table(listeners: Ints, laid: LaidOut, rows: Ints) -> pa.Table:
    """The best of each listener among these rows, by score alone."""
    row, place = np.nonzero(laid.slate.valid[rows, :PLAYLIST_LENGTH])
    columns = {
        "user_index": listeners[rows[row]].astype(np.int32),
        "position": (place + 1).astype(np.int32),
        "recording_index": laid.ranked.pool.recordings[laid.order[rows[row], place]].astype(np.int32),
    }
    return pa.table(columns, schema=RANKED_SCHEMA)


def relaxation_table(listeners: Ints, relaxations: Relaxations, picks: Ints, slate: Slate) -> pa.Table:
    """Rows of what gave way and of who has too few tracks, by listener and step."""
    short = np.flatnonzero(~is_full(picks))
    passed = slate.valid.sum(axis=1)[short]
    columns = {
        "user_index": listeners[np.concatenate([relaxations.rows, short])].astype(np.int32),
        "rule_id": pa.array([*relaxations.rule_id, *[TOO_FEW_TRACKS] * len(short)], pa.string()),
        "step": np.concatenate([relaxations.step, np.ones(len(short))]).astype(np.int32),
        "limit_from": np.concatenate([relaxations.limit_from, np.full(len(short), float(PLAYLIST_LENGTH))]),
        "limit_to": np.concatenate([relaxations.limit_to, passed.astype(np.float64)]),
    }
    table = pa.table(columns, schema=RELAXATIONS_SCHEMA)
    return table.sort_by([("user_index", "ascending"), ("step", "ascending")])


def chance_columns(draws: Draws, arm_names: pa.Array, segments: pa.Array, chance: Floats) -> dict[str, pa.Array]:
    """What chance had to do with each slot, in the order of the draws given.

    segments: of each list.  chance: (lists, A) of each arm before any draw.
    """
    arm, by_chance = draws.arm.ravel(), draws.by_chance.ravel()
    explored = arm >= 0
    owner = np.repeat(np.arange(len(segments)), PLAYLIST_LENGTH)
    return {
        "slot_kind": pa.array(["exploit", "explore"]).take(pa.array(explored.astype(np.int8))),
        "segment": segments.take(pa.array(owner, mask=~explored)),
        "arm_id": arm_names.take(pa.array(arm, mask=~explored)),
        "p_arm": pa.array(draws.p_arm.ravel(), mask=~explored),
        **_open_arms(draws.open_arms.ravel(), explored, arm_names, chance[owner]),
        "p_track": pa.array(draws.p_track.ravel()),
        "feasible_count": pa.array(draws.feasible_count.ravel().astype(np.int32), mask=~by_chance),
        "draw_number": pa.array(draws.number.ravel()),
        "propensity_valid": pa.array(draws.is_exact.ravel()),
    }


def _open_arms(bits: Ints, explored: Bools, arm_names: pa.Array, chance: Floats) -> dict[str, pa.Array]:
    """Arms that had a track left at each draw for an arm, and the chance of each.  chance: (slots, A)."""
    is_open = ((bits[:, None] >> np.arange(chance.shape[1])) & 1).astype(bool)
    offered = np.where(is_open, chance, 0.0)
    slot, arm = np.nonzero(is_open)
    starts = pa.array(np.append(0, is_open.sum(axis=1).cumsum()).astype(np.int32))
    columns = {
        "open_arms": arm_names.take(pa.array(arm)),
        "open_arm_chances": pa.array(offered[slot, arm] / offered.sum(axis=1)[slot]),
    }
    nothing = pa.array(~explored)
    return {name: pa.ListArray.from_arrays(starts, values, mask=nothing) for name, values in columns.items()}


def undrawn(lists: int) -> dict[str, pa.Array]:
    """The same columns for slots that no draw gave: those that take the place of another."""
    count = lists * PLAYLIST_LENGTH
    given = {"slot_kind": pa.array(["exploit"] * count), "propensity_valid": pa.array(np.zeros(count, dtype=bool))}
    chances = ("p_arm", "open_arms", "open_arm_chances", "p_track")
    names = ("segment", "arm_id", *chances, "feasible_count", "draw_number")
    return {**given, **{name: pa.nulls(count, SLOTS_SCHEMA.field(name).type) for name in names}}


def rung_names(codes: Ints) -> pa.Array:
    """The rung of each code."""
    return pa.array(RUNGS).take(pa.array(codes))


def source_lists(bits: Ints) -> pa.Array:
    """The names of the sources behind each bit mask."""
    names = [[name for bit, name in enumerate(SOURCES) if mask >> bit & 1] for mask in range(1 << len(SOURCES))]
    return pa.array(names, pa.list_(pa.string())).take(pa.array(bits))


def primary_source(bits: Ints) -> pa.Array:
    """The first source of each bit mask."""
    names = [
        next((name for bit, name in enumerate(SOURCES) if mask >> bit & 1), None) for mask in range(1 << len(SOURCES))
    ]
    return pa.array(names, pa.string()).take(pa.array(bits))
