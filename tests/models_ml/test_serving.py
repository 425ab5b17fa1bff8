"""What becomes of a trained vector before it is searched: arithmetic on vectors known by heart."""

import numpy as np
import pytest

from models_ml.serving import ServingParams, pull_left, serving_vectors

# Artist 0 has recordings 0 and 1, artist 1 has recording 2, artist 2 has recording 3, from which nothing was learnt.
VECTORS = np.array([[1, 0], [0, 1], [2, 2], [0, 0]], dtype=np.float32)
ARTIST = np.array([0, 0, 1, 2])
UNKNOWN = np.full(4, np.nan)
HEARD_BY = np.array([1, 3, 1, 0])


def served(params: ServingParams, idle_days: np.ndarray = UNKNOWN) -> np.ndarray:
    return serving_vectors(VECTORS, ARTIST, HEARD_BY, idle_days, params)


def test_without_an_artist_weight_the_trained_vectors_are_searched():
    assert served(ServingParams(artist_weight=0.0)).tolist() == VECTORS.tolist()


def test_an_artists_mean_weighs_by_the_logarithm_of_listeners():
    one, three = np.log(2), np.log(4)
    mean = [one / (one + three), three / (one + three)]
    found = served(ServingParams(artist_weight=2.0))
    assert found[0] == pytest.approx([1 + 2 * mean[0], 2 * mean[1]])
    assert found[1] == pytest.approx([2 * mean[0], 1 + 2 * mean[1]])
    assert found[2] == pytest.approx([2 + 2 * 2, 2 + 2 * 2]), "alone, a recording is its artist's mean"


def test_nothing_is_made_of_a_recording_from_which_nothing_was_learnt():
    vectors = np.array([[1, 0], [0, 0]], dtype=np.float32)
    same_artist = serving_vectors(vectors, np.zeros(2, dtype=int), np.array([5, 5]), UNKNOWN[:2], ServingParams())
    assert same_artist.tolist() == [[2, 0], [0, 0]]


def test_a_half_life_of_idleness_halves_the_pull_and_unknown_keeps_it():
    params = ServingParams(artist_weight=0.0, idle_half_life_days=10.0)
    idle = np.array([0, 10, 20, np.nan])
    assert pull_left(idle, params).tolist() == [1, 1 / 2, 1 / 4, 1]
    assert served(params, idle).tolist() == [[1, 0], [0, 1 / 2], [2 / 4, 2 / 4], [0, 0]]
    assert pull_left(idle, ServingParams()).tolist() == [1, 1, 1, 1], "by default nothing fades"


def test_no_recordings_are_no_vectors():
    nothing = np.empty((0, 2), dtype=np.float32)
    none = np.empty(0, dtype=int)
    assert serving_vectors(nothing, none, none, none.astype(float), ServingParams()).shape == (0, 2)
