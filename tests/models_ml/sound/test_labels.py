"""Labels from the catalogue's columns, and columns from what is heard."""

import numpy as np
import pyarrow as pa

from models_ml.sound.labels import heard_columns, read_labels
from models_ml.sound.vectors import SoundPredictions


def table(genres, instrumental):
    return pa.table(
        {
            "genres": pa.array(genres, pa.list_(pa.string())),
            "is_instrumental": pa.array(instrumental, pa.bool_()),
        }
    )


def test_genres_that_enough_tracks_have_are_labels():
    labels = read_labels(table([["jazz", "rare"]] * 19 + [["jazz"], ["blues"], []] + [["blues"]] * 19, [None] * 41))
    assert labels.genre_names == ("blues", "jazz")
    assert labels.genres[[0, 19, 20, 21]].tolist() == [[False, True], [False, True], [True, False], [False, False]]
    assert labels.genre_known.sum() == 40


def test_an_unstated_voice_is_unknown():
    labels = read_labels(table([[], [], []], [True, False, None]))
    assert labels.instrumental[:2].tolist() == [1, 0]
    assert np.isnan(labels.instrumental[2])
    assert labels.genres is None


def test_no_tracks_have_no_labels():
    labels = read_labels(table([], []))
    assert (labels.genre_names, len(labels.instrumental)) == ((), 0)


def test_the_likeliest_genre_is_told_with_its_chance():
    nothing = np.zeros((2, 1), dtype=np.float32)
    genres = np.array([[0.25, 0.5], [0.75, 0.5]], dtype=np.float32)
    told = SoundPredictions(nothing, nothing, genres, np.array([0.5, 1.0], dtype=np.float32))
    columns = heard_columns(told, ("blues", "jazz"))
    assert columns["genre"].to_pylist() == ["jazz", "blues"]
    assert columns["genre_chance"].to_pylist() == [0.5, 0.75]
    assert heard_columns(told, ())["genre"].to_pylist() == [None, None]
