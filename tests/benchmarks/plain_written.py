"""What people wrote, as the plain job reads it: playlists and what is on them, documents, tags.

Belongs here: reading and cleaning these files, the as-of cut, which recordings a text is about.
Does not: what the words mean (plain_words.py), the catalogue and the events (plain_input.py).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd  # type: ignore[import-untyped]

from tests.benchmarks.plain_input import OWN_PLAYLIST, lists_of, moments, positions, whole

_PLAYLIST_COLUMNS = ["playlist_id", "title", "description", "owner_id", "updated_at"]
_DOCUMENT_COLUMNS = ["document_id", "title", "body", "published_at", "track_ids"]


@dataclass(frozen=True)
class Written:
    """What was written before the Monday, by position of the recording.

    playlists: owner_id, title, description; the index is the playlist.  entries: playlist, recording; in order, once
    each.  documents: title, body; the index is the document.  about: document, recording.
    tags: recording, tag, tag_count.
    """

    playlists: pd.DataFrame
    entries: pd.DataFrame
    documents: pd.DataFrame
    about: pd.DataFrame
    tags: pd.DataFrame


def read_written(landing: Path, week: pd.Timestamp, tracks: pd.DataFrame) -> Written:
    """All that was written.  tracks: of Input."""
    playlists = _latest(whole(landing, "playlists", _PLAYLIST_COLUMNS), "playlist_id", "title", "updated_at", week)
    playlists = playlists[~playlists["playlist_id"].str.match(OWN_PLAYLIST)].reset_index(drop=True)
    documents = _latest(whole(landing, "documents", _DOCUMENT_COLUMNS), "document_id", "body", "published_at", week)
    recording_of = _RecordingOf(tracks)
    return Written(
        playlists=playlists[["owner_id", "title", "description"]],
        entries=_entries(landing, week, playlists, recording_of),
        documents=documents[["title", "body"]],
        about=_about(documents, tracks, recording_of),
        tags=_tags(landing, week, recording_of),
    )


class _RecordingOf:
    """The recording of each track id, -1 where the track isn't known."""

    def __init__(self, tracks: pd.DataFrame) -> None:
        self._ids = pd.Index(tracks["track_id"])
        self._recording = np.append(tracks["recording"].to_numpy(), -1)

    def __call__(self, track_ids: pd.Series) -> pd.Series:
        return pd.Series(self._recording[positions(track_ids, self._ids)], index=track_ids.index)


def _latest(rows: pd.DataFrame, key: str, text: str, moment: str, week: pd.Timestamp) -> pd.DataFrame:
    """The last row of each key that was known before the week and says something."""
    rows = rows.dropna(subset=[key, text])
    rows = rows[~(moments(rows[moment]) >= week)]
    return rows.drop_duplicates(key, keep="last").sort_values(key).reset_index(drop=True)


def _entries(landing: Path, week: pd.Timestamp, playlists: pd.DataFrame, recording_of: _RecordingOf) -> pd.DataFrame:
    rows = whole(landing, "playlist_tracks", ["playlist_id", "track_id", "position", "added_at"])
    rows = rows[~(moments(rows["added_at"]) >= week)]
    rows = rows.assign(
        playlist=positions(rows["playlist_id"], pd.Index(playlists["playlist_id"])),
        recording=recording_of(rows["track_id"]),
        position=pd.to_numeric(rows["position"], errors="coerce"),
    )
    rows = rows[(rows["playlist"] >= 0) & (rows["recording"] >= 0)]
    rows = rows.sort_values(["playlist", "position", "added_at", "recording"])
    return rows[["playlist", "recording"]].drop_duplicates().reset_index(drop=True)


def _about(documents: pd.DataFrame, tracks: pd.DataFrame, recording_of: _RecordingOf) -> pd.DataFrame:
    """By the ids that a document carries, else by a title that is an artist's name and a track's."""
    carried = lists_of(documents["track_ids"]).explode().dropna().astype("str").str.strip()
    by_id = pd.DataFrame({"document": carried.index, "recording": recording_of(carried).to_numpy()})
    by_id = by_id[by_id["recording"] >= 0]
    name = (tracks["artist_name"] + " " + tracks["title"]).str.casefold().str.replace(r"\W+", " ", regex=True)
    names = pd.DataFrame({"name": name.str.strip(), "recording": tracks["recording"]}).drop_duplicates()
    rest = documents.drop(index=by_id["document"].unique())["title"].dropna()
    rest = rest.str.casefold().str.replace(r"\W+", " ", regex=True).str.strip().rename("name").rename_axis("document")
    by_name = rest.reset_index().merge(names, on="name")
    return pd.concat([by_id, by_name[["document", "recording"]]]).drop_duplicates().sort_values(["document"])


def _tags(landing: Path, week: pd.Timestamp, recording_of: _RecordingOf) -> pd.DataFrame:
    """How many people gave each recording each tag."""
    rows = whole(landing, "track_tags", ["track_id", "tag", "user_id", "tagged_at"]).dropna(subset=["track_id", "tag"])
    rows = rows[~(moments(rows["tagged_at"]) >= week)]
    rows = rows.assign(recording=recording_of(rows["track_id"]), tag=rows["tag"].str.strip().str.lower())
    rows = rows[rows["recording"] >= 0].drop_duplicates(["recording", "tag", "user_id"])
    return rows.groupby(["recording", "tag"]).size().rename("tag_count").reset_index()
