"""Tests of loudness: known sines, gates, silence."""

import numpy as np
import pytest
from rendered_sound import RATE, excerpts

from models_ml.sound.equalising import SILENCE_LUFS, ear_weights, gated_loudness
from models_ml.sound.spectrograms import SpectrogramParams, mel_power

PARAMS = SpectrogramParams()


def loudness(samples: np.ndarray) -> float:
    return mel_power(excerpts(samples), PARAMS).loudness_lufs


def sine(hertz: float, peak: float = 1.0, seconds: float = 20) -> np.ndarray:
    return peak * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def test_the_standard_s_own_example_a_sine_of_997_hz_at_full_scale_is_3_01_below():
    assert loudness(sine(997)) == pytest.approx(-3.01, abs=0.02)


@pytest.mark.parametrize("decibels", [-6, -20, -40, -60])
def test_so_many_decibels_less_are_so_many_loudness_units_less(decibels):
    assert loudness(sine(997, 10 ** (decibels / 20))) == pytest.approx(-3.01 + decibels, abs=0.02)


def test_the_ear_hears_little_of_deep_bass_and_more_of_treble():
    gains = 10 * np.log10(ear_weights(np.array([38.0, 100.0, 997.0, 10_000.0])))
    # The high-pass halves amplitude at 38 Hz; the shelf lifts 4 dB; both together .69 at 997 Hz (BS.1770-4, figure 4).
    np.testing.assert_allclose(gains, [-6.0, -1.1, 0.69, 4.0], atol=0.3)


def test_pauses_do_not_make_a_piece_quieter():
    half = sine(997, 0.25)
    half[: 10 * RATE] = 0
    assert loudness(half) == pytest.approx(loudness(sine(997, 0.25)), abs=0.3)


def test_a_quiet_passage_counts_only_within_ten_units_of_the_mean():
    power = np.array([[1.0] * 200, [0.5] * 200, [0.001] * 200])
    assert gated_loudness(power, 43.0) == pytest.approx(gated_loudness(power[:2], 43.0), abs=1e-9)
    assert gated_loudness(power[:2], 43.0) == pytest.approx(-0.691 + 10 * np.log10(0.75), abs=1e-9)


def test_silence_and_nearly_silence_are_the_lowest_value():
    assert loudness(np.zeros(20 * RATE)) == SILENCE_LUFS
    assert loudness(sine(997, 1e-5)) == SILENCE_LUFS


def test_an_excerpt_shorter_than_a_block_is_one_block():
    assert gated_loudness(np.full((2, 3), 0.1), 43.0) == pytest.approx(-0.691 - 10)


def test_what_lies_above_the_highest_band_does_not_count():
    assert loudness(sine(9_500)) < loudness(sine(997)) - 40
