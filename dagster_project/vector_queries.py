"""Questions asked of a week's vectors: the tracks nearest to words, or to a track.

Belongs here: reading the lake for a person. Does not: making vectors (models_ml), lists for listeners.
"""

import datetime as dt

import numpy as np

from dagster_project.catalogue_io import preferred_editions
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks
from dagster_project.shown import text_table
from dagster_project.sound_io import read_audio
from dagster_project.text_io import TEXT_RECORDINGS, load_text
from dagster_project.vectors_io import RECORDING_FACTORS, load_fused, recording_vectors
from models_ml.arrays import Floats, Ints, joined
from models_ml.errors import InputError

_WIDTHS = (6, 24, 40, 30)


def nearest_to_words(home: Home, words: str, count: int, asked: dt.date | None = None) -> str:
    """The tracks nearest to words, as a table. Raises InputError where no text or name has any of them."""
    lake, week = Lake(home.lake), _week(home, asked)
    vectors = load_text(lake, week, load_configuration([home.config_file]).text)
    if not vectors.knows(words):
        raise InputError(
            f"search: no track, album, artist or playlist has any of {words!r} by {week}; try words of playlist titles"
        )
    found = vectors.search(words, count)
    return _listed(lake, week, found.recordings, found.scores)


def nearest_to_track(home: Home, track_id: str, by: str, count: int, asked: dt.date | None = None) -> str:
    """The tracks nearest to a track by cosine, as a table.

    by: fused, listening, words or sound. Raises InputError where the track isn't known, or nothing of it in that space.
    """
    lake, week = Lake(home.lake), _week(home, asked)
    vectors, recording = _space(lake, week, by), _recording(lake, week, track_id)
    if not vectors[recording].any():
        raise InputError(f"track {track_id}: nothing is known of it by {by} in {week}; try another --by")
    lengths = np.linalg.norm(vectors, axis=1)
    cosine = (vectors @ vectors[recording]) / np.maximum(lengths * lengths[recording], 1e-12)
    cosine[lengths == 0] = -np.inf
    cosine[recording] = -np.inf
    best = np.argsort(-cosine, kind="stable")[: max(count, 0)]
    best = best[np.isfinite(cosine[best])]
    return _listed(lake, week, best, cosine[best])


def _week(home: Home, asked: dt.date | None) -> dt.date:
    week = asked or max(committed_weeks(home), default=None)
    if week is None:
        raise InputError(f"home {home.root}: no Monday has been run; `monday-mix run` makes one")
    return week


def _space(lake: Lake, week: dt.date, by: str) -> Floats:
    """(m, d) vectors of one kind, zero where nothing is known."""
    if by == "listening":
        return recording_vectors(lake, week, RECORDING_FACTORS)
    if by == "words":
        return recording_vectors(lake, week, TEXT_RECORDINGS)
    if by == "sound":
        heard = read_audio(lake, week, lake.row_count("features/recordings", week))
        if heard is None:
            raise InputError(f"similar: no sound was heard by {week}; land files or vectors of it")
        return heard
    return load_fused(lake, week).vectors


def _recording(lake: Lake, week: dt.date, track_id: str) -> int:
    editions = lake.read_week("features/editions", week, ["track_id", "recording_index"])
    rows = np.flatnonzero(np.asarray(joined(editions["track_id"]).to_numpy(zero_copy_only=False) == track_id))
    if not len(rows):
        raise InputError(f"track {track_id}: not known in {week}")
    return int(editions["recording_index"][int(rows[0])].as_py())


def _listed(lake: Lake, week: dt.date, recordings: Ints, scores: Floats) -> str:
    """Recordings by the title of their preferred edition."""
    rows = preferred_editions(lake, week, ["track_id", "title", "artist_name"]).take(recordings).to_pylist()
    lines = [
        (f"{score:.3f}", row["track_id"], row["title"], row["artist_name"])
        for score, row in zip(scores, rows, strict=True)
    ]
    return text_table(("score", "track", "title", "artist"), lines, _WIDTHS)
