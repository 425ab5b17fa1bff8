"""What people wrote, in and out of the lake: inputs of the text step, its vectors, playlists as evidence.

Belongs here: which tables it reads, and where its vectors lie. Does not: how words become vectors (models_ml/text).
"""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.lake import Lake
from models_ml.arrays import Ints, Pairs, joined, stable_order
from models_ml.text.inputs import TextInputs
from models_ml.text.named_artists import no_artists
from models_ml.text.params import TextParams
from models_ml.text.vectors import TextTables, TextVectors
from models_ml.text.word_index import no_words

TEXT_FEATURES = ("playlist_texts", "playlist_recordings", "document_texts", "recording_tags", "editions", "recordings")
WORDS, TEXT_RECORDINGS, COMMON = "vectors/words", "vectors/text_recordings", "vectors/text_common"
WORD_RECORDINGS, LISTED_ARTISTS = "vectors/word_recordings", "vectors/listed_artists"


def read_text_inputs(lake: Lake, week: dt.date) -> TextInputs:
    """What was written and is known on the Monday."""
    return TextInputs(
        playlists=lake.read_week("features/playlist_texts", week),
        playlist_tracks=lake.read_week("features/playlist_recordings", week),
        documents=lake.read_week("features/document_texts", week),
        tags=lake.read_week("features/recording_tags", week),
        names=_names(lake, week),
        recording_count=lake.row_count("features/recordings", week),
    )


def _names(lake: Lake, week: dt.date) -> pa.Table:
    """What each edition is called, with the names of its artists; null for one who is never the first of a track."""
    columns = ["recording_index", "title", "artist_index", "artist_name", "album_title", "artist_indexes"]
    editions = lake.read_week("features/editions", week, columns)
    named, first = np.unique(editions.column("artist_index").to_numpy(), return_index=True)
    credits = joined(editions.column("artist_indexes"))
    place = pc.index_in(pc.list_flatten(credits), pa.array(named, pa.int32()))
    names = joined(editions.column("artist_name")).take(pa.array(first)).take(place)
    return editions.drop_columns(["artist_index", "artist_indexes"]).append_column(
        "artist_names", pa.ListArray.from_arrays(credits.offsets, names)
    )


def keep_text(lake: Lake, week: dt.date, vectors: TextVectors) -> None:
    """Write a week's words and recordings."""
    tables = vectors.to_tables()
    for name, table in (
        (WORDS, tables.words),
        (TEXT_RECORDINGS, tables.recordings),
        (COMMON, tables.common),
        (WORD_RECORDINGS, tables.word_recordings),
        (LISTED_ARTISTS, tables.listed_artists),
    ):
        lake.replace_week(name, week, table)


def load_text(lake: Lake, week: dt.date, params: TextParams) -> TextVectors:
    """The week's words and recordings; of a week made before words were indexed or artists listed, without these."""
    words, recordings, common = (lake.read_week(name, week) for name in (WORDS, TEXT_RECORDINGS, COMMON))
    index = lake.read_week(WORD_RECORDINGS, week) if lake.has_week(WORD_RECORDINGS, week) else no_words().to_table()
    artists = lake.read_week(LISTED_ARTISTS, week) if lake.has_week(LISTED_ARTISTS, week) else no_artists().to_table()
    return TextVectors.from_tables(TextTables(words, recordings, common, index, artists), params)


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
        "words_to_search": len(vectors.index.words),
    }
