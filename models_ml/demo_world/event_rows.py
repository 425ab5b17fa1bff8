"""Plays and actions of a chunk as rows of the landing dataset `events`, and as totals.

Belongs here: the contract's columns for what happened.
Does not: what happened (choices.py, outcomes.py, playlists.py), dirt (dirt.py), files (world_files.py).
"""

import numpy as np
import pyarrow as pa

from models_ml.demo_world.catalogue_tables import MOMENT, CatalogueIds, moments, texts
from models_ml.demo_world.choices import Plays
from models_ml.demo_world.chunks import Chunk
from models_ml.demo_world.draws import Bools, Ints, Objects, Random, choose, segment_starts
from models_ml.demo_world.ids import joined, numbered, user_ids
from models_ml.demo_world.listeners import TOTALS_ONLY
from models_ml.demo_world.outcomes import (
    ACTION_NAMES,
    BLOCK_ARTIST,
    CLOSED,
    FINISHED,
    SKIPPED,
    Outcomes,
)
from models_ml.demo_world.playlists import MODES_LIMIT, editorial_id, playlist_ids
from models_ml.demo_world.sessions import DEVICES
from models_ml.demo_world.size import DAY_MS, WEEK_MS, WorldSize

EVENT_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("event_type", pa.string()),
        ("occurred_at", MOMENT),
        ("track_id", pa.string()),
        ("artist_id", pa.string()),
        ("event_id", pa.string()),
        ("ms_played", pa.int64()),
        ("reason_start", pa.string()),
        ("reason_end", pa.string()),
        ("shuffle", pa.bool_()),
        ("is_private", pa.bool_()),
        ("context_type", pa.string()),
        ("context_id", pa.string()),
        ("position", pa.int32()),
        ("session_id", pa.string()),
        ("device_type", pa.string()),
        ("variant_id", pa.string()),
        ("source", pa.string()),
    ]
)

CONTEXTS = np.array(
    ["search", "album", "artist", "radio", "editorial_playlist", "autoplay", "collection", "user_playlist"],
    dtype=object,
)
_SEARCH, _ALBUM, _ARTIST, _RADIO, _EDITORIAL, _AUTOPLAY, _COLLECTION, _USER_PLAYLIST = range(len(CONTEXTS))
# Running shares of the contexts of first plays and of replays.
_FIRST_CONTEXTS = (
    np.array([0.2, 0.35, 0.5, 0.75, 0.9, 1.0]),
    np.array([_SEARCH, _ALBUM, _ARTIST, _RADIO, _EDITORIAL, _AUTOPLAY]),
)
_REPLAY_CONTEXTS = (
    np.array([0.45, 0.75, 0.88, 1.0]),
    np.array([_COLLECTION, _USER_PLAYLIST, _SEARCH, _ALBUM]),
)

_OPENINGS = np.array(["clickrow", "playbtn", "appload"], dtype=object)
_SKIPS = (np.array(["fwdbtn", "clickrow", "backbtn"], dtype=object), np.array([17, 2, 1]))
_CLOSINGS = (
    np.array(["appclose", "endplay", "logout", "unexpected-exit"], dtype=object),
    np.array([5, 3, 1, 1]),
)
# Some players send a skip as such, the others a short play that says how it ended.
_SENDS_SKIPS = np.isin(DEVICES, ["mobile", "speaker", "car"])
_MISSING_SESSION_SHARE = 0.05


def event_table(random: Random, chunk: Chunk, ids: CatalogueIds, id_missing_share: float) -> pa.Table:
    """Events of a chunk sorted by moment, those of listeners known by totals only left out."""
    playing = _play_rows(random, chunk, ids)
    table = pa.concat_tables([playing, _action_rows(chunk, playing, ids), *_member_rows(chunk, playing, ids)])
    keep = chunk_kinds(chunk, table) != TOTALS_ONLY
    table = table.filter(pa.array(keep))
    when = table["occurred_at"].cast(pa.int64()).to_numpy()
    table = table.take(pa.array(np.argsort(when, kind="stable")))
    event_ids = joined("-", pa.scalar(f"ev{chunk.number:05d}"), numbered("", np.arange(len(table)), 7))
    known = pa.array(random.random(len(table)) >= id_missing_share)
    position = EVENT_SCHEMA.get_field_index("event_id")
    event_ids = pa.array(
        event_ids.to_numpy(zero_copy_only=False), pa.string(), mask=~known.to_numpy(zero_copy_only=False)
    )
    return table.set_column(position, "event_id", event_ids).drop_columns(["_listener"])


def chunk_kinds(chunk: Chunk, table: pa.Table) -> Ints:
    """(rows,) kind of each row's listener."""
    kinds: Ints = chunk.chooser.listeners.kind[table["_listener"].to_numpy()]
    return kinds


def _play_rows(random: Random, chunk: Chunk, ids: CatalogueIds) -> pa.Table:
    """One row per play, in the order of the plays."""
    plays, outcomes, sessions = chunk.plays, chunk.outcomes, chunk.chooser.sessions
    session = plays.session
    listener = sessions.listener[session]
    device = sessions.device[session]
    short = (outcomes.end == SKIPPED) & _SENDS_SKIPS[device]
    context, context_id = _contexts(chunk, ids)
    session_known = (random.random(len(sessions)) >= _MISSING_SESSION_SHARE)[session]
    tracks = chunk.chooser.catalogue.tracks
    number = np.where(context == _ALBUM, tracks.number[plays.track], 0)
    return pa.table(
        {
            "user_id": _users(chunk, listener),
            "event_type": texts(np.where(short, "skip", "play")),
            "occurred_at": moments(outcomes.occurred_ms),
            "track_id": ids.track.take(pa.array(plays.track)),
            "artist_id": pa.nulls(len(plays), pa.string()),
            "event_id": pa.nulls(len(plays), pa.string()),
            "ms_played": pa.array(outcomes.ms_played),
            "reason_start": texts(_reasons_start(random, plays, outcomes)),
            "reason_end": texts(_reasons_end(random, outcomes)),
            "shuffle": pa.array(
                sessions.shuffle[session] & np.isin(context, [_COLLECTION, _USER_PLAYLIST, _EDITORIAL])
            ),
            "is_private": pa.array(sessions.private[session]),
            "context_type": _coded(CONTEXTS, context),
            "context_id": context_id,
            "position": pa.array(number.astype(np.int32), mask=number == 0),
            "session_id": _session_ids(chunk, session, session_known),
            "device_type": _coded(DEVICES, device),
            "variant_id": pa.nulls(len(plays), pa.string()),
            "source": _coded(np.array(["app"], dtype=object), np.zeros(len(plays), dtype=np.int64)),
            "_listener": pa.array(listener),
        }
    )


def _coded(names: Objects, codes: Ints) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(codes))


def _users(chunk: Chunk, listener: Ints) -> pa.Array:
    return user_ids(chunk.chooser.listeners.positions).take(pa.array(listener))


def _session_ids(chunk: Chunk, session: Ints, known: Bools) -> pa.Array:
    every = joined("-", pa.scalar(f"s{chunk.number:05d}"), numbered("", np.arange(len(chunk.chooser.sessions)), 6))
    return every.take(pa.array(session, mask=~known))


def _contexts(chunk: Chunk, ids: CatalogueIds) -> tuple[Ints, pa.Array]:
    """(plays,) where each play came from: one source of first plays and one of replays a sitting."""
    plays, chooser = chunk.plays, chunk.chooser
    sessions, tracks = chooser.sessions, chooser.catalogue.tracks
    first = _FIRST_CONTEXTS[1][np.searchsorted(_FIRST_CONTEXTS[0], sessions.contexts[:, 0])]
    replay = _REPLAY_CONTEXTS[1][np.searchsorted(_REPLAY_CONTEXTS[0], sessions.contexts[:, 1])]
    context = np.where(plays.is_first, first[plays.session], replay[plays.session])
    if not chooser.params.editorial_playlists_per_genre:
        context = np.where(context == _EDITORIAL, _RADIO, context)
    listener, mode = sessions.listener[plays.session], sessions.mode[plays.session]
    own = (chooser.listeners.first + listener) * MODES_LIMIT + mode
    # Whoever keeps no playlist plays from the collection.
    context = np.where((context == _USER_PLAYLIST) & ~np.isin(own, chunk.members.number), _COLLECTION, context)
    # One array of every sort of id, the row's own picked by what its context is.
    each = max(1, chooser.params.editorial_playlists_per_genre)
    editorial = chooser.catalogue.track_genre[plays.track] * each + plays.session % each
    sorts = {
        _ALBUM: (ids.album, plays.track),
        _ARTIST: (ids.artist, tracks.artist[plays.track]),
        _RADIO: (ids.artist, tracks.artist[plays.track]),
        _EDITORIAL: (editorial_id(np.arange(editorial.max(initial=0) + 1)), editorial),
    }
    result = np.full(len(plays), None, dtype=object)
    for sort, (names, places) in sorts.items():
        rows = np.flatnonzero(context == sort)
        result[rows] = names.take(pa.array(places[rows])).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(context == _USER_PLAYLIST)
    result[rows] = playlist_ids(own[rows]).to_numpy(zero_copy_only=False)
    return context, pa.array(result, pa.string())


def _reasons_start(random: Random, plays: Plays, outcomes: Outcomes) -> Objects:
    """How each play began: by a click in the beginning, else by how the last one ended."""
    opening = segment_starts(plays.session)
    before = np.roll(outcomes.end, 1)
    after = np.where(before == SKIPPED, "fwdbtn", "trackdone").astype(object)
    return np.where(opening, _OPENINGS[random.integers(0, len(_OPENINGS), len(plays))], after)


def _reasons_end(random: Random, outcomes: Outcomes) -> Objects:
    count = len(outcomes.end)
    skips = _SKIPS[0][choose(random, _SKIPS[1], count)]
    closings = _CLOSINGS[0][choose(random, _CLOSINGS[1], count)]
    ends = np.where(outcomes.end == SKIPPED, skips, np.full(count, "trackdone", dtype=object))
    return np.where(outcomes.end == CLOSED, closings, ends)


def _of_plays(playing: pa.Table, rows: Ints, kinds: Objects, occurred_ms: Ints) -> pa.Table:
    """Rows for something done during plays: who, what and where as in the play, nothing of the playing."""
    table = playing.take(pa.array(rows))
    replaced = {
        "event_type": texts(kinds),
        "occurred_at": moments(occurred_ms),
        "ms_played": pa.nulls(len(rows), pa.int64()),
        "reason_start": pa.nulls(len(rows), pa.string()),
        "reason_end": pa.nulls(len(rows), pa.string()),
        "shuffle": pa.nulls(len(rows), pa.bool_()),
    }
    for name, column in replaced.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _action_rows(chunk: Chunk, playing: pa.Table, ids: CatalogueIds) -> pa.Table:
    actions = chunk.actions
    table = _of_plays(playing, actions.play, ACTION_NAMES[actions.kind], actions.occurred_ms)
    of_artist = actions.kind == BLOCK_ARTIST
    track = chunk.plays.track[actions.play]
    artist = chunk.chooser.catalogue.tracks.artist[track]
    tracks = ids.track.take(pa.array(track, mask=of_artist))
    artists = ids.artist.take(pa.array(artist, mask=~of_artist))
    table = table.set_column(table.schema.get_field_index("track_id"), "track_id", tracks)
    return table.set_column(table.schema.get_field_index("artist_id"), "artist_id", artists)


def _member_rows(chunk: Chunk, playing: pa.Table, ids: CatalogueIds) -> list[pa.Table]:
    """Rows for what was added to playlists, and what was removed from them."""
    members = chunk.members
    names = playlist_ids(members.number)
    gone = np.flatnonzero(members.removed_ms > 0)
    everyone = np.arange(len(members.number))
    tables = []
    for kind, rows, when in (
        ("playlist_add", everyone, members.added_ms),
        ("playlist_remove", gone, members.removed_ms),
    ):
        table = _of_plays(playing, members.play[rows], np.full(len(rows), kind, dtype=object), when[rows])
        context = texts(np.full(len(rows), CONTEXTS[_USER_PLAYLIST], dtype=object))
        table = table.set_column(table.schema.get_field_index("context_type"), "context_type", context)
        tables.append(
            table.set_column(table.schema.get_field_index("context_id"), "context_id", names.take(pa.array(rows)))
        )
    return tables


def count_table(chunk: Chunk, ids: CatalogueIds, size: WorldSize) -> pa.Table:
    """`play_counts` of those known by totals only: as they stood a week before the end, and at the end."""
    plays, outcomes, chooser = chunk.plays, chunk.outcomes, chunk.chooser
    listener = chooser.sessions.listener[plays.session]
    counted = (chooser.listeners.kind[listener] == TOTALS_ONLY) & (outcomes.end == FINISHED)
    tables = []
    for observed_ms in (size.end_ms - WEEK_MS - DAY_MS // 2, size.end_ms - DAY_MS // 2):
        rows = np.flatnonzero(counted & (outcomes.occurred_ms < observed_ms))
        key = listener[rows] * np.int64(len(chooser.catalogue.tracks)) + plays.track[rows]
        keys, counts = np.unique(key, return_counts=True)
        tables.append(
            pa.table(
                {
                    "user_id": _users(chunk, keys // len(chooser.catalogue.tracks)),
                    "track_id": ids.track.take(pa.array(keys % len(chooser.catalogue.tracks))),
                    "play_count": pa.array(counts),
                    "observed_at": moments(np.full(len(keys), observed_ms)),
                }
            )
        )
    return pa.concat_tables(tables)
