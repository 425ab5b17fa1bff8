"""Small worlds of text with an answer known by thought."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa

from models_ml.text.inputs import DOCUMENTS, NAMES, PLAYLIST_TRACKS, PLAYLISTS, TAGS, TextInputs, no_inputs
from models_ml.text.params import TextParams

# Enough passes for a few hundred words.
PARAMS = TextParams(vector_size=16, epochs=60, recording_minimum_count=1, phrase_minimum_count=3)


def names_of(rows: Sequence[tuple[int, str | None, str | None]]) -> pa.Table:
    """A `names` table from (recording_index, title, artist_name), of no album."""
    told = [dict(zip(NAMES.names, [*row, None, [row[2]] if row[2] is not None else []], strict=True)) for row in rows]
    return pa.Table.from_pylist(told, schema=NAMES)


def playlists_of(
    rows: Sequence[tuple[str | None, Sequence[int]]],
    owners: Sequence[str | None] | None = None,
    descriptions: Sequence[str | None] | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Playlists and their tracks from (title, recordings)."""
    count = len(rows)
    playlists = pa.table(
        {
            "playlist_index": pa.array(range(count), pa.int32()),
            "owner_id": pa.array(owners or [None] * count, pa.string()),
            "title": pa.array([title for title, _ in rows], pa.string()),
            "description": pa.array(descriptions or [None] * count, pa.string()),
        },
        schema=PLAYLISTS,
    )
    pairs = [(place, track) for place, (_, tracks) in enumerate(rows) for track in tracks]
    tracks = pa.table(
        {
            "playlist_index": pa.array([place for place, _ in pairs], pa.int32()),
            "recording_index": pa.array([track for _, track in pairs], pa.int32()),
        },
        schema=PLAYLIST_TRACKS,
    )
    return playlists, tracks


def documents_of(rows: Sequence[tuple[str | None, str, Sequence[int] | None]]) -> pa.Table:
    """A `documents` table from (title, body, recordings)."""
    return pa.table(
        {
            "document_index": pa.array(range(len(rows)), pa.int32()),
            "title": pa.array([title for title, _, _ in rows], pa.string()),
            "body": pa.array([body for _, body, _ in rows], pa.string()),
            "recording_indexes": pa.array([about for _, _, about in rows], pa.list_(pa.int32())),
        },
        schema=DOCUMENTS,
    )


def tags_of(rows: Sequence[tuple[int, str, int]]) -> pa.Table:
    """A `tags` table from (recording_index, tag, tag_count)."""
    return pa.table(
        {
            "recording_index": pa.array([row[0] for row in rows], pa.int32()),
            "tag": pa.array([row[1] for row in rows], pa.string()),
            "tag_count": pa.array([row[2] for row in rows], pa.int64()),
        },
        schema=TAGS,
    )


def inputs_of(recording_count: int, **tables: pa.Table) -> TextInputs:
    """Inputs of which only some tables have rows."""
    return replace(no_inputs(recording_count), **tables)


def two_moods(copies: int = 12) -> TextInputs:
    """Recordings 0..9 stand in calm playlists, 10..19 in loud ones; 20 and 21 have a review only, 22 tags only.

    23 has nothing.
    """
    calm = [("calm piano 🌙", range(10)), ("sleepy calm evening", range(0, 10, 2)), ("piano for sleepy", range(5))]
    loud = [("loud gym bangers 💪", range(10, 20)), ("gym bangers", range(10, 20, 2)), ("loud riot", range(12, 18))]
    playlists, tracks = playlists_of((calm + loud) * copies)
    documents = documents_of(
        [("A review", "a sleepy calm record with piano", [20]), (None, "loud bangers, a riot for the gym", [21])]
    )
    return inputs_of(
        24,
        playlists=playlists,
        playlist_tracks=tracks,
        documents=documents,
        tags=tags_of([(22, "calm piano", 7), (22, "sleepy", 2)]),
    )
