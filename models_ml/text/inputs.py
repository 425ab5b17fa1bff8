"""What the text signal is made from, checked once.

Belongs here: the tables, their columns, and the errors that name what is wrong in them.
Does not: any reading of the words.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Ints, column, dense_index, in_range, joined, strings
from models_ml.errors import InputError

PLAYLISTS = pa.schema(
    {"playlist_index": pa.int32(), "owner_id": pa.string(), "title": pa.string(), "description": pa.string()}
)
PLAYLIST_TRACKS = pa.schema({"playlist_index": pa.int32(), "recording_index": pa.int32()})
DOCUMENTS = pa.schema(
    {
        "document_index": pa.int32(),
        "title": pa.string(),
        "body": pa.string(),
        "recording_indexes": pa.list_(pa.int32()),
    }
)
TAGS = pa.schema({"recording_index": pa.int32(), "tag": pa.string(), "tag_count": pa.int64()})
NAMES = pa.schema(
    {
        "recording_index": pa.int32(),
        "title": pa.string(),
        "artist_name": pa.string(),
        "album_title": pa.string(),
        "artist_names": pa.list_(pa.string()),
    }
)


@dataclass(frozen=True)
class TextInputs:
    """What people wrote, as known before the Monday. Recordings by index 0..recording_count - 1.

    playlists: playlist_index (dense, ascending), owner_id, title, description; the last three nullable.
    playlist_tracks: playlist_index, recording_index; sorted by playlist and place in the list, each pair once.
    documents: document_index (dense), title (nullable), body, recording_indexes: those whose ids it carries, or null.
    tags: recording_index, tag, tag_count: people who gave it.
    names: recording_index, title, artist_name, album_title, artist_names (of all credits); a row an edition.
    Raises InputError, naming table, column, row and value, where a table can't be used.
    """

    playlists: pa.Table
    playlist_tracks: pa.Table
    documents: pa.Table
    tags: pa.Table
    names: pa.Table
    recording_count: int

    def __post_init__(self) -> None:
        if self.recording_count < 0:
            raise InputError(f"recordings: recording_count is {self.recording_count}; it can't be below 0")
        dense_index(self.playlists, "playlists", "playlist_index")
        dense_index(self.documents, "documents", "document_index")
        for name in ("owner_id", "title", "description"):
            strings(self.playlists, "playlists", name)
        strings(self.documents, "documents", "title")
        _whole(self.documents, "documents", "body")
        _whole(self.tags, "tags", "tag")
        for name in ("title", "artist_name", "album_title"):
            strings(self.names, "names", name)
        self._check_recordings()

    def _check_recordings(self) -> None:
        for table, name in ((self.playlist_tracks, "playlist_tracks"), (self.tags, "tags"), (self.names, "names")):
            index = column(table, name, "recording_index", np.int64)
            in_range(index, self.recording_count, name, "recording_index")
        in_range(self.carried[1], self.recording_count, "documents", "recording_indexes")
        self._check_membership()
        counts = column(self.tags, "tags", "tag_count", np.int64)
        if len(counts) and counts.min() < 1:
            row = int(np.flatnonzero(counts < 1)[0])
            raise InputError(f"tags: tag_count is {counts[row]} in row {row}; leave tags out that nobody gave")

    def _check_membership(self) -> None:
        playlist, recording = self.membership
        in_range(playlist, self.playlists.num_rows, "playlist_tracks", "playlist_index")
        wrong = np.flatnonzero(np.diff(playlist) < 0)
        if len(wrong):
            row = int(wrong[0]) + 1
            message = f"playlist_tracks: playlist_index is {playlist[row]} in row {row}, after {playlist[row - 1]}"
            raise InputError(f"{message}; sort by it")
        keys = playlist * max(self.recording_count, 1) + recording
        _, first = np.unique(keys, return_index=True)
        if len(first) < len(keys):
            row = int(np.setdiff1d(np.arange(len(keys)), first)[0])
            message = f"playlist_tracks: row {row} repeats playlist_index {playlist[row]}"
            raise InputError(f"{message}, recording_index {recording[row]}; each pair once")

    @property
    def membership(self) -> tuple[Ints, Ints]:
        """(pairs,) playlist and recording of each entry, in order, int64."""
        playlist = column(self.playlist_tracks, "playlist_tracks", "playlist_index", np.int64)
        return playlist, column(self.playlist_tracks, "playlist_tracks", "recording_index", np.int64)

    @property
    def carried(self) -> tuple[Ints, Ints]:
        """(pairs,) document and recording of each id that a document carries, int64, in order."""
        if "recording_indexes" not in self.documents.column_names:
            raise InputError(f"documents: column recording_indexes is missing; it has {self.documents.column_names}")
        lists = joined(self.documents.column("recording_indexes"))
        if not pa.types.is_list(lists.type):
            raise InputError(f"documents: column recording_indexes is {lists.type}; give it lists of int32")
        parents, values = pc.list_parent_indices(lists), pc.list_flatten(lists)
        if values.null_count:
            row = parents[pc.index(pc.is_null(values), True).as_py()].as_py()
            raise InputError(f"documents: recording_indexes holds a null in row {row}; leave unknown ids out")
        return parents.to_numpy().astype(np.int64), values.to_numpy(zero_copy_only=False).astype(np.int64)


def no_inputs(recording_count: int) -> TextInputs:
    """Inputs of a service where nobody has written anything."""
    playlists, tracks = PLAYLISTS.empty_table(), PLAYLIST_TRACKS.empty_table()
    return TextInputs(
        playlists, tracks, DOCUMENTS.empty_table(), TAGS.empty_table(), NAMES.empty_table(), recording_count
    )


def _whole(table: pa.Table, table_name: str, name: str) -> None:
    """InputError where a text column has a null."""
    values = strings(table, table_name, name)
    if values.null_count:
        row = pc.index(pc.is_null(values), True).as_py()
        raise InputError(f"{table_name}: column {name} is null in row {row}; every row needs a value")
