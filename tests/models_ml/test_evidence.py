"""Affinity in a space of words or sound, and the evidence that reasons name."""

import numpy as np
import pytest

from models_ml.affinity import ContentAffinity
from models_ml.evidence import Content
from models_ml.ranking import Components
from tests.models_ml.test_fusion import interactions_of
from tests.models_ml.test_starting import pairs


def test_affinity_is_the_cosine_with_the_mean_of_what_is_liked():
    liked = interactions_of(np.array([[3.0, 2.0, 0, -4.0], [0, 0, 0, 0]]))
    space = np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0]], dtype=np.float32)
    affinity = ContentAffinity(liked, space)
    found = affinity.of(np.array([0, 1]), np.array([0, 0, 1]), np.array([2, 3, 2]))
    assert found == pytest.approx([(2 * 0.6 + 1 * 0.8) / 3, -2 / 3, 0.0], abs=1e-6)
    nearest = affinity.nearest(np.array([0, 0, 1]), np.array([2, 3, 2]))
    assert nearest.recording.tolist() == [1, -1, -1], "a dislike is near nothing"
    assert nearest.cosine[0] == pytest.approx(0.8)


def test_the_nearest_is_the_same_in_whatever_order_pairs_come():
    rng = np.random.default_rng(5)
    liked = interactions_of(rng.integers(-2, 4, (20, 40)).astype(float))
    space = rng.normal(size=(40, 8)).astype(np.float32)
    space[rng.integers(0, 40, 10)] = space[3]  # equally near
    space[7] = 0.0
    space /= np.maximum(np.linalg.norm(space, axis=1, keepdims=True), 1e-9)
    listeners, recordings = rng.integers(0, 20, 500), rng.integers(0, 40, 500)
    found = ContentAffinity(liked, space).nearest(listeners, recordings)
    for place, (listener, recording) in enumerate(zip(listeners, recordings, strict=True)):
        mine = slice(*liked.pairs.indptr[listener : listener + 2])
        heard = liked.pairs.values[mine][liked.preference[mine] > 0]
        cosine = np.array([np.einsum("f,f->", space[one], space[recording]) for one in heard])
        if (cosine > 0).any():
            assert found.recording[place] == heard[cosine.argmax()]
            assert found.cosine[place] == cosine.max()
        else:
            assert (found.recording[place], found.cosine[place]) == (-1, 0.0)


def test_evidence_names_a_playlist_that_holds_both():
    liked = interactions_of(np.array([[3.0, 2.0, 0, 0]]))
    space = np.array([[1, 0], [0, 1], [0.6, 0.8], [0.8, 0.6]], dtype=np.float32)
    affinity = ContentAffinity(liked, space)
    content = Content(affinity, affinity, pairs([[0], [0, 1, 2], [0, 1], [2]], 3), np.array([9, 2, 5]))
    by_text = Components(*(np.array([value, value]) for value in (0.1, 0.0, 0.5, 0.2, *[0.0] * 6)))
    told = content.evidence(np.array([0, 0]), np.array([2, 3]), by_text)
    assert told.beside.tolist() == [1, -1], "no playlist holds recording 3 and the liked one nearest to it"
    assert told.playlist.tolist() == [1, -1], "the shorter one of two"
    by_sound = Components(*(np.array([value]) for value in (0.1, 0.0, 0.2, 0.5, *[0.0] * 6)))
    assert content.evidence(np.array([0]), np.array([3]), by_sound).sounds_like.tolist() == [0]
