"""Sound whose tempo, key and loudness are known because it was rendered that way."""

from pathlib import Path

import numpy as np
import soundfile

RATE = 22_050
MAJOR_STEPS = (0, 2, 4, 5, 7, 9, 11, 12)
MINOR_STEPS = (0, 2, 3, 5, 7, 8, 11, 12)


def note(midi: int, seconds: float, rate: int = RATE) -> np.ndarray:
    """A plucked tone of six partials; midi 69 is A4, 440 Hz."""
    moments = np.arange(int(seconds * rate)) / rate
    frequency = 440 * 2 ** ((midi - 69) / 12)
    partials = sum(np.sin(2 * np.pi * frequency * number * moments) / number for number in range(1, 7))
    return 0.2 * partials * np.exp(-2 * moments)


def scale(tonic: int, steps: tuple[int, ...], seconds: float, rate: int = RATE) -> np.ndarray:
    """Up and down a scale, half a second a note, again and again; tonic 0 is C."""
    once = np.concatenate([note(60 + tonic + step, 0.5, rate) for step in (*steps, *steps[::-1])])
    return np.resize(once, int(seconds * rate))


def cadence(tonic: int, third: int, seconds: float, rate: int = RATE) -> np.ndarray:
    """I, IV, V, I, a second each, again and again; the dominant is major in a minor key too."""
    root = 48 + tonic
    one = (root, root + third, root + 7, root + 12)
    chords = (one, (root + 5, root + 5 + third, root + 12), (root + 7, root + 11, root + 14), one)
    once = np.concatenate([sum(note(midi, 1.0, rate) for midi in chord) for chord in chords])
    return np.resize(once, int(seconds * rate))


def clicks(tempo_bpm: float, seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """A short burst of noise on every beat."""
    random = np.random.default_rng(seed)
    samples = random.normal(size=int(seconds * rate)) * 1e-3
    burst = int(0.05 * rate)
    for moment in np.arange(0.13, seconds - 0.1, 60 / tempo_bpm):
        start = int(moment * rate)
        samples[start : start + burst] += random.normal(size=burst) * np.exp(-np.arange(burst) / (0.01 * rate)) * 0.3
    return samples


def piece(seconds: float, rate: int = RATE) -> np.ndarray:
    """Chords with clicks: something of everything, highest partials and noise up to half the rate."""
    return 0.4 * (cadence(0, 4, seconds, rate) + clicks(120, seconds, rate))


def write(path: Path, samples: np.ndarray, rate: int = RATE, **how: str) -> Path:
    """Write samples in the format of the ending."""
    soundfile.write(path, samples, rate, **how)
    return path


def excerpts(samples: np.ndarray, count: int = 4, seconds: float = 5.0, rate: int = RATE) -> np.ndarray:
    """(count, n) float32: the first count * seconds of the samples."""
    size = int(seconds * rate)
    return samples[: count * size].reshape(count, size).astype(np.float32)
