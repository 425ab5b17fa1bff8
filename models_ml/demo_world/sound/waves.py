"""Waves: tables of one period, envelopes, noise in a band, plucked strings.

Belongs here: building blocks of sound without a notion of music. Sampled at SAMPLE_RATE.
Does not: instruments (instruments.py), drums (drums.py).
"""

import numpy as np
import numpy.typing as npt

from models_ml.demo_world.draws import Floats, Ints, generator

SAMPLE_RATE = 22_050
# Harmonics above this would fold back below half the sample rate when bent upwards.
HIGHEST_HZ = 9_500.0
_TABLE_BITS, _PHASE_BITS = 13, 32
TABLE_SAMPLES = 1 << _TABLE_BITS
Wave = npt.NDArray[np.float32]


def samples(seconds: float) -> int:
    """Whole samples in so many seconds, one at least."""
    return max(1, round(seconds * SAMPLE_RATE))


def times(seconds: float) -> Floats:
    """(samples,) the moment of each sample, seconds."""
    return np.arange(samples(seconds)) / SAMPLE_RATE


def period_table(amplitudes: Floats) -> Wave:
    """(TABLE_SAMPLES,) one period of the sum of harmonics 1, 2, ... with these amplitudes.

    Phases after Schroeder (1970), so that the sum has no sharp peak.
    """
    number = np.arange(1, len(amplitudes) + 1)
    spectrum = np.zeros(TABLE_SAMPLES // 2 + 1, dtype=np.complex128)
    spectrum[1 : len(amplitudes) + 1] = amplitudes * np.exp(-1j * np.pi * number * (number - 1) / len(amplitudes))
    return np.asarray(np.fft.irfft(spectrum) * (TABLE_SAMPLES / 2), dtype=np.float32)


def table_places(hertz: float, count: int, offset: float = 0.0) -> Ints:
    """(count,) which sample of a period's table each moment reads; offset in periods.

    Counted in whole parts of a period: nothing is lost over time, and long tables need no interpolation.
    """
    step = round(hertz / SAMPLE_RATE * (1 << _PHASE_BITS))
    return _places(np.arange(count, dtype=np.int64) * step + round(offset * (1 << _PHASE_BITS)))


def bent_places(hertz: float, cents: Floats) -> Ints:
    """The same for a frequency that is bent by so many cents at each moment."""
    steps = np.exp2(cents * (1 / 1_200)) * (hertz / SAMPLE_RATE * (1 << _PHASE_BITS))
    return _places(np.cumsum(steps.astype(np.int64)))


def _places(phase: Ints) -> Ints:
    return (phase >> (_PHASE_BITS - _TABLE_BITS)) & (TABLE_SAMPLES - 1)


def phases(hertz: Floats) -> Floats:
    """(samples,) periods gone by at each sample, for a moving frequency."""
    return np.cumsum(hertz) / SAMPLE_RATE


def sine(periods: Floats) -> Floats:
    """A sine wave that has gone through so many periods."""
    wave: Floats = np.sin(2 * np.pi * periods)
    return wave


def decay(when: Floats, seconds: float) -> Floats:
    """e^(-t / seconds)."""
    fallen: Floats = np.exp(-when / seconds)
    return fallen


def rise(when: Floats, seconds: float) -> Floats:
    """From 0 to 1 in so many seconds, then 1; without a corner."""
    risen = np.ones(len(when))
    below = int(np.searchsorted(when, seconds))
    risen[:below] = np.sin(when[:below] / seconds * (np.pi / 2)) ** 2
    return risen


def noise(name: str, count: int) -> Floats:
    """(count,) white noise, the same for the same name."""
    return generator(0, "sound", "noise", name).standard_normal(count)


def band_noise(name: str, count: int, low_hz: float, high_hz: float) -> Floats:
    """Noise between two frequencies with soft edges of half an octave, root mean square 1."""
    spectrum = np.fft.rfft(noise(name, count))
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 1.0)
    below = 1 / (1 + (low_hz / hertz) ** 4)
    above = 1 / (1 + (hertz / high_hz) ** 4)
    wave = np.fft.irfft(spectrum * below * above, count)
    band: Floats = wave / max(float(np.sqrt((wave**2).mean())), 1e-9)
    return band


def plucked(name: str, hertz: float, seconds: float, brightness: float, ring_seconds: float) -> Floats:
    """A plucked string: noise that runs round a delay and loses its highs (Karplus and Strong 1983).

    brightness: 0 to 1, how sharp the pluck.  ring_seconds: until it has fallen to 1 / e.
    A whole number of samples a period is out of tune; the wave is read faster by what is missing.
    """
    period = int(np.ceil(SAMPLE_RATE / hertz))
    speed = hertz * (period + 0.5) / SAMPLE_RATE
    rounds = int(samples(seconds) * speed / period) + 3
    loss = float(np.exp(-period / (ring_seconds * SAMPLE_RATE)))
    wave = np.zeros((rounds, period))
    wave[0] = _pluck(name, period, brightness)
    for row in range(1, rounds):
        before = wave[row - 1]
        wave[row, 1:] = (before[1:] + before[:-1]) * (loss / 2)
        wave[row, 0] = (before[0] + (wave[row - 2, -1] if row > 1 else 0.0)) * (loss / 2)
    string = wave.reshape(-1)
    read: Floats = np.interp(np.arange(samples(seconds)) * speed, np.arange(len(string)), string)
    return read


def _pluck(name: str, period: int, brightness: float) -> Floats:
    """(period,) noise whose harmonics fall the faster the less bright; no mean, which would never ring out."""
    spectrum = np.fft.rfft(noise(name, period))
    spectrum[0] = 0
    number = np.arange(len(spectrum))
    return normalised(np.fft.irfft(spectrum * np.exp(-number * (1 - brightness) * 0.5), period))


def normalised(wave: Floats) -> Floats:
    """The same wave with a peak of 1; silence stays."""
    peak = float(np.abs(wave).max()) if len(wave) else 0.0
    return wave / peak if peak > 0 else wave


def midi_hertz(pitch: float) -> float:
    """Frequency of a MIDI note number; 69 is 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12))
