"""Tests of the order heard: best first, no two neighbours by one artist, neighbours that flow."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models_ml.arrangement import arrange, spread_early
from models_ml.flow import ArrangementParams, Flow, Sounds

EACH_ITS_OWN = np.array([[1, 2, 3, 4]])
ENERGY, TEMPO, KEY = (
    ArrangementParams(**{f"{name}_weight": float(name == chosen) for name in ("energy", "tempo", "key")})
    for chosen in ("energy", "tempo", "key")
)


def apart(*pairs: tuple[int, int]) -> np.ndarray:
    """Gaps of one list of four: 1 for the pairs given, 0 else."""
    gaps = np.zeros((1, 4, 4), dtype=np.float32)
    for left, right in pairs:
        gaps[0, left, right] = gaps[0, right, left] = 1
    return gaps


def heard(*tracks: tuple[float | None, float | None, int | None, str | None], count: int | None = None) -> Sounds:
    """Sounds of recordings from 0 on: energy, tempo, key, mode; each as sure as can be."""
    energy, tempo, key, mode = zip(*tracks, strict=True)
    table = pa.table(
        {
            "recording_index": pa.array(range(len(tracks)), pa.int32()),
            "energy": pa.array(energy, pa.float64()),
            "tempo_bpm": pa.array(tempo, pa.float64()),
            "tempo_confidence": pa.array([1.0] * len(tracks)),
            "key": pa.array(key, pa.int8()),
            "mode": pa.array(mode, pa.string()),
            "key_confidence": pa.array([0.5] * len(tracks)),
        }
    )
    return Sounds.of(table, count or len(tracks))


def gap(params: ArrangementParams, left: tuple, right: tuple) -> float:
    """Distance of two recordings with sound."""
    return float(Flow(np.zeros((2, 3)), heard(left, right), params).gaps(np.array([[0, 1]]))[0, 0, 1])


def test_a_better_track_waits_for_one_that_follows_better():
    assert arrange(EACH_ITS_OWN, apart((0, 1)), 0.5).tolist() == [[0, 2, 1, 3]]


def test_no_track_comes_earlier_by_more_than_the_weight_s_share_of_the_list():
    apart_from_all_but_the_last = apart((0, 1), (0, 2))
    assert arrange(EACH_ITS_OWN, apart_from_all_but_the_last, 0.4).tolist() == [[0, 1, 2, 3]]
    assert arrange(EACH_ITS_OWN, apart_from_all_but_the_last, 0.6).tolist() == [[0, 3, 1, 2]]


def test_without_weight_or_with_equal_gaps_the_best_come_first():
    assert arrange(EACH_ITS_OWN, apart((0, 1)), 0.0).tolist() == [[0, 1, 2, 3]]
    assert arrange(EACH_ITS_OWN, np.full((1, 4, 4), 0.3), 5.0).tolist() == [[0, 1, 2, 3]]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=30),
    st.integers(0, 10**6),
    st.sampled_from([0.0, 0.3, 1.0, 30.0]),
)
def test_neighbours_repeat_only_where_every_order_has_it_however_they_flow(artists, seed, weight):
    gaps = np.random.default_rng(seed).random((1, len(artists), len(artists)), dtype=np.float32)
    order = arrange(np.array([artists]), gaps, weight)[0]
    assert sorted(order) == list(range(len(artists)))
    most = max(Counter(artists).values())
    repeats = sum(artists[left] == artists[right] for left, right in pairwise(order))
    assert repeats == max(0, most - (len(artists) - most) - 1)


def test_lists_side_by_side_are_ordered_as_each_alone():
    random = np.random.default_rng(3)
    artists, gaps = random.integers(0, 9, (5, 30)), random.random((5, 30, 30), dtype=np.float32)
    together = arrange(artists, gaps, 0.7)
    alone = [arrange(artists[[row]], gaps[[row]], 0.7)[0] for row in range(5)]
    assert together.tolist() == np.array(alone).tolist()


def test_no_lists_have_an_order_too():
    assert arrange(np.zeros((0, 30), dtype=np.int64), np.zeros((0, 30, 30)), 1.0).shape == (0, 30)


def test_chosen_tracks_share_the_first_places_evenly_and_the_others_stay_as_they_were():
    chosen = np.zeros((2, 30), dtype=bool)
    chosen[0, [3, 20, 29]] = True
    order = arrange(np.tile(np.arange(30), (2, 1)), latest=spread_early(chosen, 15))
    assert order[0, [3, 8, 13]].tolist() == [3, 20, 29]
    assert np.delete(order[0], [3, 8, 13]).tolist() == [track for track in range(30) if track not in (3, 20, 29)]
    assert order[1].tolist() == list(range(30))


def test_within_the_whole_list_the_last_chosen_track_stays_where_it_is():
    chosen = np.arange(30)[None, :] >= 27
    assert arrange(np.arange(30)[None, :], latest=spread_early(chosen, 30))[0, -1] == 29


def test_energy_a_fifth_of_the_scale_apart_is_as_far_as_it_gets():
    assert gap(ENERGY, (0.5, 120, 0, "major"), (0.55, 60, 6, "minor")) == pytest.approx(0.05 / 0.2)
    assert gap(ENERGY, (0.1, 120, 0, "major"), (0.9, 120, 0, "major")) == 1


def test_half_and_double_the_tempo_are_the_same_and_between_them_lies_the_farthest():
    assert gap(TEMPO, (0.5, 70, 0, "major"), (0.5, 140, 0, "major")) == pytest.approx(0, abs=1e-6)
    assert gap(TEMPO, (0.5, 35, 0, "major"), (0.5, 140, 0, "major")) == pytest.approx(0, abs=1e-6)
    assert gap(TEMPO, (0.5, 100, 0, "major"), (0.5, 100 * 2**0.5, 0, "major")) == pytest.approx(1)


def test_keys_lie_on_the_circle_of_fifths_and_a_minor_one_by_its_relative():
    c_major, g_major, a_minor, f_sharp = (0, "major"), (7, "major"), (9, "minor"), (6, "major")
    distances = [gap(KEY, (0.5, 100, *c_major), (0.5, 100, *other)) for other in (g_major, a_minor, f_sharp)]
    assert distances == pytest.approx([1 / 6, 0, 1])


def test_an_attribute_that_is_not_known_of_both_says_neither_near_nor_far():
    assert gap(TEMPO, (0.5, None, 0, "major"), (0.5, 100, 0, "major")) == 0.5
    assert gap(KEY, (0.5, 100, -1, ""), (0.5, 100, 0, "major")) == 0.5


def test_without_sound_neighbours_are_as_far_as_their_vectors():
    vectors = np.array([[2.0, 0.0], [5.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    for sounds in (None, heard((0.5, 100, 0, "major"), count=4)):
        gaps = Flow(vectors, sounds, ArrangementParams()).gaps(np.array([[0, 1, 2, 3]]))[0]
        assert gaps[0, 1] == pytest.approx(0, abs=1e-6)
        assert gaps[0, 2] == gaps[0, 3] == pytest.approx(0.65)
