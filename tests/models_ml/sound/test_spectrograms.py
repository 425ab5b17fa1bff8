"""Tests of spectrograms: where a tone appears, equal loudness, cut-offs, bytes, parameters."""

import dataclasses

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rendered_sound import RATE, excerpts, piece

from models_ml.errors import InputError
from models_ml.sound.spectrograms import (
    HIGHEST_DB,
    LOWEST_DB,
    STEPS_PER_DB,
    SpectrogramParams,
    decibels_of,
    from_bytes,
    log_mel,
    mel_centres,
    mel_power,
    mel_triangles,
    quantised,
    to_bytes,
)

PARAMS = SpectrogramParams()
WIDE_RATE = 44_100


def heard(samples: np.ndarray) -> np.ndarray:
    return log_mel(excerpts(samples), PARAMS)


def audible_difference(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Decibels between two spectrograms where one of them is within 60 dB of the piece's loudness."""
    return np.abs(one - two)[np.maximum(one, two) > -60]


def test_the_default_shape_is_four_excerpts_of_96_bands_and_212_frames():
    found = heard(piece(20))
    assert found.shape == PARAMS.shape == (4, 96, 212)
    assert found.dtype == np.float32
    assert found.min() >= LOWEST_DB
    assert found.max() <= HIGHEST_DB


@pytest.mark.parametrize("band", [8, 40, 90])
def test_a_tone_is_strongest_in_its_own_band(band):
    hertz = mel_centres(PARAMS)[band]
    found = heard(0.1 * np.sin(2 * np.pi * hertz * np.arange(20 * RATE) / RATE))
    assert (found.argmax(axis=1) == band).all()


def test_a_sine_of_one_kilohertz_is_near_zero_decibels_however_loud_it_is():
    for peak in (1.0, 0.01):
        found = heard(peak * np.sin(2 * np.pi * 997 * np.arange(20 * RATE) / RATE))
        assert found.max() == pytest.approx(0, abs=1.5)


def test_bands_of_noise_add_up_to_its_power_below_the_highest_band():
    noise = np.random.default_rng(0).normal(size=20 * RATE) * 0.1
    power = mel_power(excerpts(noise), PARAMS).bands.sum(axis=1).mean()
    inside = (mel_centres(PARAMS)[-1] - mel_centres(PARAMS)[0]) / (RATE / 2)
    assert power == pytest.approx(0.01 * inside, rel=0.03)


def test_triangles_add_up_to_one_between_the_first_and_last_centre():
    lines = np.linspace(mel_centres(PARAMS)[0], mel_centres(PARAMS)[-1], 500)
    np.testing.assert_allclose(mel_triangles(lines, PARAMS).sum(axis=0), 1)


def test_every_band_has_a_line_of_the_spectrum():
    lines = np.fft.rfftfreq(PARAMS.window_samples, 1 / PARAMS.sample_rate)
    assert (mel_triangles(lines, PARAMS).sum(axis=1) > 0.5).all()


def test_the_same_piece_at_a_tenth_of_the_level_gives_the_same_spectrogram():
    one, two = heard(piece(20)), heard(0.1 * piece(20))
    assert np.abs(one - two).max() < 1e-3


def test_twenty_decibels_less_and_cut_off_at_eleven_kilohertz_differ_by_less_than_a_decibel():
    whole = piece(20, WIDE_RATE)
    whole += 0.02 * np.random.default_rng(2).normal(size=len(whole))
    cut = scipy.signal.sosfilt(scipy.signal.butter(8, 11_000, fs=WIDE_RATE, output="sos"), whole)
    one, two = (heard(scipy.signal.resample_poly(each, 1, 2)) for each in (whole, 0.1 * cut))
    difference = audible_difference(one, two)
    # The filter also delays: quick decays, 60 dB below the piece, are where it is seen.
    assert np.median(difference) < 0.05
    assert np.quantile(difference, 0.99) < 1.0
    assert np.abs(one.mean(axis=(0, 2)) - two.mean(axis=(0, 2))).max() < 0.2


def test_a_different_tilt_is_a_different_timbre():
    tilted = scipy.signal.lfilter([1], [1, -0.9], piece(20))
    assert np.abs(heard(piece(20)).mean(axis=(0, 2)) - heard(tilted).mean(axis=(0, 2))).max() > 5


def test_silence_is_the_lowest_value_everywhere():
    assert (heard(np.zeros(20 * RATE)) == LOWEST_DB).all()


def test_an_excerpt_does_not_depend_on_the_order_of_the_others_but_for_the_loudness_of_all():
    samples = excerpts(piece(20))
    forwards, backwards = mel_power(samples, PARAMS), mel_power(samples[::-1], PARAMS)
    assert (forwards.bands == backwards.bands[::-1]).all()
    assert forwards.loudness_lufs == pytest.approx(backwards.loudness_lufs, abs=1e-9)


@given(arrays.arrays(np.uint8, (2, 3, 4)))
def test_quantised_levels_come_back_exactly(levels):
    assert (quantised(decibels_of(levels)) == levels).all()


@given(st.floats(LOWEST_DB, HIGHEST_DB, width=32))
def test_quantising_moves_a_level_by_a_sixth_of_a_decibel_at_most(level):
    kept = decibels_of(quantised(np.array([level], dtype=np.float32)))[0]
    assert abs(kept - level) <= 0.5 / STEPS_PER_DB + 1e-4


def test_the_range_is_exactly_what_a_byte_holds():
    assert (HIGHEST_DB - LOWEST_DB) * STEPS_PER_DB == 255
    assert quantised(np.array([LOWEST_DB - 50, LOWEST_DB, HIGHEST_DB, HIGHEST_DB + 50])).tolist() == [0, 0, 255, 255]


def test_bytes_hold_what_was_quantised():
    found = heard(piece(20))
    stored = to_bytes(found)
    assert len(stored) == 4 * 96 * 212
    assert (quantised(from_bytes(stored, PARAMS)) == quantised(found)).all()
    with pytest.raises(InputError, match="has 5 bytes"):
        from_bytes(stored[:5], PARAMS)


def test_samples_of_another_length_are_refused():
    with pytest.raises(InputError, match=r"shape \(4, 100\)"):
        log_mel(np.zeros((4, 100), dtype=np.float32), PARAMS)
    with pytest.raises(InputError, match="shape"):
        log_mel(np.zeros(PARAMS.excerpt_samples, dtype=np.float32), PARAMS)


@pytest.mark.parametrize(
    "wrong",
    [{"highest_hz": 12_000.0}, {"highest_hz": 20.0}, {"window_samples": 256}, {"excerpt_seconds": 0.05}],
)
def test_parameters_that_contradict_each_other_are_refused(wrong):
    with pytest.raises(InputError, match="sound: "):
        SpectrogramParams(**wrong)


def test_every_parameter_says_its_unit_range_and_meaning():
    for field in dataclasses.fields(SpectrogramParams):
        assert field.metadata.keys() >= {"unit", "min", "max", "doc"}
        assert field.metadata["min"] <= field.default <= field.metadata["max"]
