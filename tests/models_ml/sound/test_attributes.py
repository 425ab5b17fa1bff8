"""Tests of attributes: tempo of click tracks, keys of rendered scales and cadences, energy."""

import numpy as np
import pytest
from rendered_sound import MAJOR_STEPS, MINOR_STEPS, RATE, cadence, clicks, excerpts, piece, scale

from models_ml.sound.attributes import Attributes, attributes_of, energy_of, key_of, tempo_of
from models_ml.sound.spectrograms import SpectrogramParams, mel_power

PARAMS = SpectrogramParams()
TONICS = range(12)


def attributes(samples: np.ndarray) -> Attributes:
    parts = excerpts(samples)
    return attributes_of(parts, mel_power(parts, PARAMS), PARAMS)


@pytest.mark.parametrize("tempo_bpm", [60, 75, 90, 105, 120, 128, 140, 160, 174])
def test_a_click_track_has_the_tempo_it_was_rendered_with(tempo_bpm):
    found = attributes(clicks(tempo_bpm, 20))
    assert found.tempo_bpm == pytest.approx(tempo_bpm, rel=0.01)
    assert found.tempo_confidence > 0.6


def test_offbeats_half_as_loud_do_not_double_the_tempo():
    offbeats = np.roll(clicks(100, 20, seed=1), int(0.3 * RATE))
    assert attributes(clicks(100, 20) + 0.3 * offbeats).tempo_bpm == pytest.approx(100, rel=0.01)


def test_noise_has_no_sure_tempo_and_a_held_tone_none():
    noise = np.random.default_rng(0).normal(size=20 * RATE) * 0.1
    assert attributes(noise).tempo_confidence < 0.2
    held = attributes(0.1 * np.sin(2 * np.pi * 440 * np.arange(20 * RATE) / RATE))
    assert np.isnan(held.tempo_bpm)
    assert held.tempo_confidence == 0


@pytest.mark.parametrize("tonic", TONICS)
def test_a_scale_is_in_the_key_it_was_rendered_in(tonic):
    major, minor = attributes(scale(tonic, MAJOR_STEPS, 20)), attributes(scale(tonic, MINOR_STEPS, 20))
    assert (major.key, major.mode) == (tonic, "major")
    assert (minor.key, minor.mode) == (tonic, "minor")


@pytest.mark.parametrize("tonic", TONICS)
def test_a_cadence_is_in_the_key_it_was_rendered_in(tonic):
    major, minor = attributes(cadence(tonic, 4, 20)), attributes(cadence(tonic, 3, 20))
    assert (major.key, major.mode) == (tonic, "major")
    assert (minor.key, minor.mode) == (tonic, "minor")


def test_an_orchestra_tuned_thirty_cents_high_is_in_the_same_key():
    slower = cadence(2, 4, 25)
    places = np.arange(20 * RATE) * 2 ** (30 / 1200)
    found = attributes(np.interp(places, np.arange(len(slower)), slower))
    assert (found.key, found.mode) == (2, "major")


def test_noise_is_less_sure_of_its_key_than_a_cadence():
    noise = np.random.default_rng(0).normal(size=20 * RATE) * 0.1
    assert attributes(noise).key_confidence < 0.05 < 0.1 < attributes(cadence(0, 4, 20)).key_confidence


def test_silence_has_neither_tempo_nor_key_nor_energy():
    found = attributes(np.zeros(20 * RATE))
    assert np.isnan(found.tempo_bpm)
    assert (found.key, found.mode, found.key_confidence) == (-1, "", 0)
    assert (found.energy, found.brightness_hz) == (0, 0)


def test_the_key_of_a_profile_itself_is_its_key_and_even_shares_have_none():
    c_major = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
    assert key_of(np.roll(c_major, 7) / c_major.sum())[:2] == (7, "major")
    assert key_of(np.full(12, 1 / 12)) == (-1, "", 0.0)


def test_no_onsets_have_no_tempo():
    assert np.isnan(tempo_of(np.zeros((4, 211)), 43.07)[0])


def test_tempo_and_key_do_not_depend_on_the_level():
    loud, quiet = attributes(piece(20)), attributes(0.1 * piece(20))
    assert loud.tempo_bpm == pytest.approx(quiet.tempo_bpm, rel=1e-4)
    assert (loud.key, loud.mode) == (quiet.key, quiet.mode) == (0, "major")
    assert loud.brightness_hz == pytest.approx(quiet.brightness_hz, rel=1e-3)
    assert loud.loudness_lufs - quiet.loudness_lufs == pytest.approx(20, abs=0.01)


def test_energy_grows_with_loudness_onsets_and_brightness_within_zero_and_one():
    middle = energy_of(-20, 1.0, 1000)
    assert 0.4 < middle < 0.7
    assert energy_of(-10, 1.0, 1000) > middle < energy_of(-20, 1.5, 1000)
    assert energy_of(-20, 1.0, 2000) > middle
    assert energy_of(-70, 0, 0) == 0
    assert energy_of(0, 9, 9000) == 1


def test_fast_clicks_have_more_energy_than_a_slow_quiet_cadence():
    assert attributes(clicks(174, 20)).energy > attributes(0.05 * cadence(0, 3, 20)).energy + 0.2


def test_a_tone_is_as_bright_as_it_is_high():
    found = attributes(0.1 * np.sin(2 * np.pi * 2_000 * np.arange(20 * RATE) / RATE))
    assert found.brightness_hz == pytest.approx(2_000, rel=0.02)
