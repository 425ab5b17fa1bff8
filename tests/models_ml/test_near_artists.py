"""Tests of nearness to artists: by hand, where there is nothing to go by, and whatever block a listener is in."""

import numpy as np
import pytest
from feature_worlds import table

from models_ml.features import Interactions, read_interactions
from models_ml.ranker.near_artists import NearArtists

ARTIST_OF = np.array([0, 0, 1, 2, 3])
VECTORS = np.array([[2.0, 0.0], [0.5, 0.0], [0.6, 0.8], [0.0, 3.0], [-1.0, 0.0]], dtype=np.float32)


def rated(*rows: tuple[int, int, int], listeners: int = 3) -> Interactions:
    """(listener, recording, preference) each."""
    names = ("user_index", "recording_index", "preference")
    columns = {name: [row[place] for row in sorted(rows)] for place, name in enumerate(names)}
    return read_interactions(table("interactions", confidence=[2.0] * len(rows), **columns), listeners, len(ARTIST_OF))


def told(interactions: Interactions, *asked: tuple[int, int]) -> dict[str, list[float]]:
    """Features of (listener, recording) pairs, of all listeners in one block."""
    rows, recordings = np.array(sorted(asked)).T
    listeners = np.arange(len(interactions.pairs.indptr) - 1)
    found = NearArtists(ARTIST_OF, VECTORS, interactions).of(listeners, rows, recordings)
    return {name: values.tolist() for name, values in found.items()}


def test_near_is_the_nearest_artists_that_are_liked_and_what_is_opposite_is_at_no_distance():
    # Artist 0 lies at (1, 0), 1 at (.6, .8), 2 at (0, 1), 3 at (-1, 0); everyone dislikes a third.
    found = told(rated((0, 0, 1), (0, 2, 1), (0, 3, -1)), (0, 1), (0, 2), (0, 3), (0, 4))
    assert found["artist_nearness"] == pytest.approx([(1 + 0.6) / 2, (1 + 0.6) / 2, (0 + 0.8) / 2, 0.0])
    assert found["near_disliked"] == pytest.approx(
        [(0 + 1) / (1 + 0.36 + 3), (0.64 + 1) / (0.36 + 1 + 0.64 + 3), (1 + 1) / (0.64 + 1 + 3), 1 / 3]
    )


def test_only_the_three_nearest_count():
    artists, angles = np.arange(5), np.radians([0, 10, 20, 30, 90])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    likes = rated((0, 1, 1), (0, 2, 1), (0, 3, 1), (0, 4, 1), listeners=1)
    found = NearArtists(artists, vectors, likes).of(np.array([0]), np.array([0]), np.array([0]))
    assert found["artist_nearness"] == pytest.approx([np.cos(angles[1:4]).mean()])


def test_who_likes_nothing_has_no_nearness_and_who_rated_nothing_dislikes_as_everyone_does():
    found = told(rated((0, 0, 1), (1, 0, -1)), (0, 1), (1, 1), (2, 1))
    assert found["artist_nearness"][0] == pytest.approx(1.0)
    assert np.isnan(found["artist_nearness"][1:]).all()
    assert found["near_disliked"] == pytest.approx([1.5 / 4, 2.5 / 4, 0.5])


def test_nothing_known_of_anyone():
    found = told(rated(), (0, 1), (2, 3))
    assert np.isnan(found["artist_nearness"]).all()
    assert found["near_disliked"] == [0.0, 0.0]


def test_a_listener_is_told_the_same_in_any_block():
    random = np.random.default_rng(3)
    artists, vectors = random.integers(0, 40, 300), random.standard_normal((300, 16)).astype(np.float32)
    rows = {
        (int(who), int(what)): int(random.choice([1, 1, -1])) for who, what in random.integers(0, [20, 300], (400, 2))
    }
    columns = {"user_index": [who for who, _ in sorted(rows)], "recording_index": [what for _, what in sorted(rows)]}
    columns["preference"] = [rows[pair] for pair in sorted(rows)]
    interactions = read_interactions(table("interactions", confidence=[2.0] * len(rows), **columns), 20, 300)
    near, everyone = NearArtists(artists, vectors, interactions), np.arange(20)
    asked = [np.sort(random.choice(300, 50, replace=False)) for _ in everyone]
    together = near.of(everyone, np.repeat(everyone, 50), np.concatenate(asked))
    for who, theirs in zip(everyone, asked, strict=True):
        alone = near.of(np.array([who]), np.zeros(50, dtype=int), theirs)
        for name, values in alone.items():
            np.testing.assert_array_equal(values, together[name][who * 50 : (who + 1) * 50])
