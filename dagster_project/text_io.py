"""What people wrote, in and out of the lake: inputs of the text step, its vectors, playlists as evidence.

Belongs here: which tables it reads, and where its vectors lie. Does not: how words become vectors (models_ml/text).
"""

import datetime as dt

import numpy as np

from dagster_project.lake import Lake
from models_ml.arrays import Ints, Pairs, stable_order
from models_ml.text.inputs import TextInputs
from models_ml.text.params import TextParams
from models_ml.text.vectors import TextTables, TextVectors

TEXT_FEATURES = ("playlist_texts", "playlist_recordings", "document_texts", "recording_tags", "editions", "recordings")
WORDS, TEXT_RECORDINGS, COMMON = "vectors/words", "vectors/text_recordings", "vectors/text_common"


def read_text_inputs(lake: Lake, week: dt.date) -> TextInputs:
    """What was written and is known on the Monday."""
    return TextInputs(
        playlists=lake.read_week("features/playlist_texts", week),
        playlist_tracks=lake.read_week("features/playlist_recordings", week),
        documents=lake.read_week("features/document_texts", week),
        tags=lake.read_week("features/recording_tags", week),
        names=lake.read_week("features/editions", week, ["recording_index", "title", "artist_name"]),
        recording_count=lake.row_count("features/recordings", week),
    )


def keep_text(lake: Lake, week: dt.date, vectors: TextVectors) -> None:
    """Write a week's words and recordings."""
    tables = vectors.to_tables()
    for name, table in ((WORDS, tables.words), (TEXT_RECORDINGS, tables.recordings), (COMMON, tables.common)):
        lake.replace_week(name, week, table)


def load_text(lake: Lake, week: dt.date, params: TextParams) -> TextVectors:
    """The week's words and recordings."""
    tables = TextTables(*(lake.read_week(name, week) for name in (WORDS, TEXT_RECORDINGS, COMMON)))
    return TextVectors.from_tables(tables, params)


def playlists_of_recordings(lake: Lake, week: dt.date, recording_count: int) -> tuple[Pairs, Ints]:
    """(the playlists of each recording, recordings on each playlist)."""
    entries = lake.read_week("features/playlist_recordings", week, ["playlist_index", "recording_index"])
    playlist, recording = (entries[name].to_numpy().astype(np.int64) for name in entries.column_names)
    count = lake.row_count("features/playlist_texts", week)
    order = stable_order(recording)
    indptr = np.searchsorted(recording[order], np.arange(recording_count + 1)).astype(np.int64)
    return Pairs(indptr, playlist[order].astype(np.int32), max(count, 1)), np.bincount(playlist, minlength=count)


def text_metadata(vectors: TextVectors) -> dict[str, int]:
    """What a person wants to see of a training."""
    return {
        "dagster/row_count": len(vectors.context_count),
        "words": len(vectors.words),
        "recordings_with_words": int(np.count_nonzero(vectors.context_count)),
    }
