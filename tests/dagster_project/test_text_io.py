"""Tests of a week's words in the lake: kept and read again, and of weeks made before some of it was kept."""

import datetime as dt
import shutil
from pathlib import Path

import pyarrow as pa

from dagster_project.lake import Lake
from dagster_project.text_io import LISTED_ARTISTS, WORD_RECORDINGS, keep_text, load_text
from models_ml.text.inputs import DOCUMENTS, NAMES, PLAYLIST_TRACKS, PLAYLISTS, TAGS, TextInputs
from models_ml.text.params import TextParams
from models_ml.text.vectors import TextVectors, train_text

WEEK = dt.date(2026, 11, 23)
PARAMS = TextParams(vector_size=8, epochs=5, recording_minimum_count=1)


def vectors() -> TextVectors:
    names = [("One", "Ada"), ("Two", "Bo"), ("Three", "Cy")]
    rows = [(place, title, artist, None, [artist]) for place, (title, artist) in enumerate(names)]
    named = pa.Table.from_pylist([dict(zip(NAMES.names, row, strict=True)) for row in rows], schema=NAMES)
    playlists = pa.table([[0, 1], [None, None], ["calm", "gym"], [None, None]], schema=PLAYLISTS)
    tracks = pa.table([[0, 0, 1], [0, 1, 2]], schema=PLAYLIST_TRACKS)
    inputs = TextInputs(playlists, tracks, DOCUMENTS.empty_table(), TAGS.empty_table(), named, 3)
    return train_text(inputs, PARAMS, seed=1)


def test_words_and_artists_kept_and_read_again_find_the_same(tmp_path: Path) -> None:
    lake, made = Lake(tmp_path), vectors()
    keep_text(lake, WEEK, made)
    read = load_text(lake, WEEK, PARAMS)
    assert read.search("with ada and more", 3).recordings.tolist() == [0, 1, 2]
    assert read.search("with ada and more", 3).scores.tolist() == made.search("with ada and more", 3).scores.tolist()


def test_of_a_week_before_words_were_indexed_or_artists_listed_the_rest_is_read(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    keep_text(lake, WEEK, vectors())
    shutil.rmtree(tmp_path / LISTED_ARTISTS)
    read = load_text(lake, WEEK, PARAMS)
    assert len(read.artists.names) == 0
    assert read.search("with ada and more", 1).recordings.tolist() == [0]
    shutil.rmtree(tmp_path / WORD_RECORDINGS)
    assert len(load_text(lake, WEEK, PARAMS).index.words) == 0
