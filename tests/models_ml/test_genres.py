"""Genres: what the catalogue names, what is guessed and marked so, the mix of what a listener likes."""

import numpy as np
import pyarrow as pa
import pytest

from models_ml.arrays import Pairs
from models_ml.features import Interactions
from models_ml.genres import MOST_GENRES, Genres, read_genres


def nowhere(count: int) -> np.ndarray:
    return np.zeros((count, 2), dtype=np.float32)


def read(lists: list[list[str | None] | None], vectors: np.ndarray | None = None) -> Genres:
    return read_genres(
        pa.array(lists, pa.list_(pa.string())), nowhere(len(lists)) if vectors is None else np.float32(vectors)
    )


def test_every_track_may_have_a_genre_of_its_own() -> None:
    genres = read([[f"genre {number:05d}"] for number in range(40_000)])
    assert genres.lists(np.array([39_999])).to_pylist() == [["genre 39999"]]


def test_names_are_compared_in_lower_case_each_once_and_the_first_few_count() -> None:
    genres = read([["Jazz", " jazz ", "Blues"], None, [], [None, "", "rock"], ["a", "b", "c", "d"]])
    assert genres.names.to_pylist() == ["a", "b", "blues", "c", "d", "jazz", "rock"]
    told = genres.lists(np.arange(5)).to_pylist()
    assert told == [["jazz", "blues"], [], [], ["rock"], ["a", "b", "c"]]
    assert genres.count.tolist() == [2, 0, 0, 1, MOST_GENRES]
    assert not genres.is_guess.any()


def test_a_catalogue_without_genres_has_none() -> None:
    genres = read([[], None], np.eye(2))
    assert genres.lists(np.array([0, 1])).to_pylist() == [[], []]
    assert genres.taste(likes([[0, 1]], [[3.0, 3.0]], [[1, 1]]), np.array([0])).shape == (1, 0)


def test_a_recording_without_genres_gets_that_of_its_neighbours_and_is_marked() -> None:
    lists: list[list[str | None] | None] = [["jazz"]] * 5 + [["metal"]] * 5 + [["one of its kind"]] + [[]] * 4
    vectors = np.array([[1.0, 0.1]] * 5 + [[0.1, 1.0]] * 5 + [[1.0, 1.0]] + [[2.0, 0.1], [0.0, 0.5], [0, 0], [-1, -1]])
    genres = read(lists, vectors)
    assert genres.lists(np.arange(11, 15)).to_pylist() == [["jazz"], ["metal"], [], []]
    assert genres.is_guess.tolist() == [False] * 11 + [True, True, False, False]


def likes(owned: list[list[int]], confidence: list[list[float]], preference: list[list[int]]) -> Interactions:
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in owned])]).astype(np.int64)
    width = max((max(row) for row in owned if row), default=0) + 1
    values = np.array([value for row in owned for value in row], dtype=np.int32)
    return Interactions(
        Pairs(indptr, values, width),
        np.array([value for row in confidence for value in row]),
        np.array([value for row in preference for value in row], dtype=np.int8),
    )


def test_taste_is_the_mix_of_what_is_liked_by_confidence_beyond_a_mention() -> None:
    genres = read([["jazz"], ["jazz", "blues"], ["metal"]])
    observed = likes([[0, 1, 2], [], [2]], [[3.0, 2.0, 9.0], [], [2.0]], [[1, 1, -1], [], [1]])
    taste = genres.taste(observed, np.array([0, 1, 2]))
    assert genres.names.to_pylist() == ["blues", "jazz", "metal"]
    assert taste[0] == pytest.approx([0.5 / 3, 2.5 / 3, 0])
    assert taste[1].tolist() == [0, 0, 0], "nobody's taste"
    assert taste[2].tolist() == [0, 0, 1]
    assert genres.taste(observed, np.array([2]))[0].tolist() == [0, 0, 1]


def test_a_genre_is_named_where_the_catalogue_says_so_of_the_track_and_of_enough_of_what_is_liked() -> None:
    genres = read([["jazz"], ["metal", "jazz"], [], ["metal"], ["folk"]])
    guessed = Genres(genres.names, genres.place.copy(), genres.count.copy(), np.array([0, 0, 1, 0, 0], dtype=bool))
    guessed.place[2, 0], guessed.count[2] = 0, 1  # a guess: folk
    observed = likes([[0, 2, 3], [], [4]], [[4.0, 4.0, 2.0], [], [2.0]], [[1, 1, 1], [], [1]])
    told = guessed.told_taste(observed, np.array([0, 1, 2]))
    assert guessed.names.to_pylist() == ["folk", "jazz", "metal"]
    # Of seven parts three are folk by a guess: they count in the whole, and are told of by nobody.
    assert told == pytest.approx(np.array([[0, 3 / 7, 1 / 7], [0, 0, 0], [1, 0, 0]]))
    rows, recordings = np.array([0, 0, 0, 0, 1, 2]), np.array([0, 1, 2, 3, 0, 4])
    assert guessed.named_for(told, rows, recordings, 0.2).tolist() == [1, 1, -1, -1, -1, 0]
    assert guessed.named_for(told, rows, recordings, 0.0).tolist() == [1, 1, -1, 2, -1, 0]
