"""Tempo, key, energy and brightness of a piece, each with how sure it is where that can be told.

Belongs here: what a musician would write beside a title, measured. Does not: files, spectrograms themselves, networks.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import soxr

from models_ml.arrays import Floats
from models_ml.sound.spectrograms import MelPower, SpectrogramParams, hann, mel_centres

MAJOR, MINOR = "major", "minor"
KEY_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

# Below this, relative to the piece's loudness, a change is not heard as a beat.
_AUDIBLE_DB = -50.0
_SLOWEST_BPM, _FASTEST_BPM, _TEMPO_STEPS = 40.0, 220.0, 400
# People tap near 120 a minute, and nine tenths of an octave around it: Ellis, "Beat Tracking by Dynamic Programming",
# Journal of New Music Research 36 (2007), section 3.2.
_USUAL_BPM, _USUAL_OCTAVES = 120.0, 0.9
# What the first, second, ... beat from here says of a period. The first most: at twice the tempo it falls between.
_BEAT_WEIGHTS = (1.0, 0.4, 0.4, 0.2)
# Steps between two frames at which likeness is read, by its spectrum: at 174 beats a minute a frame is 7 %.
_STEPS_PER_FRAME = 4

# 372 ms at 22.05 kHz: 2.7 Hz between lines, a third of a semitone at C3.
_PITCH_WINDOW_SECONDS = 0.37
_PITCH_SAMPLE_RATE = 5_512.5
_LOWEST_PITCH_HZ, _HIGHEST_PITCH_HZ = 110.0, 1_760.0
_A4_HZ, _A_ABOVE_C = 440.0, 9
# Peaks weaker than this beside the strongest of their frame are noise, or partials that say little about the key.
_WEAKEST_PEAK = 0.02
# A frame without a line as strong as this is silence and rounding.
_QUIETEST_LINE = 1e-4
# How well each step above the tonic fits: Krumhansl and Kessler, Psychological Review 89 (1982), as in Krumhansl,
# "Cognitive Foundations of Musical Pitch" (1990), which also gives the correlation used here (Schmuckler).
# Length of the deviations from 1/12 where the seven notes of a scale sound equally often.
_SCALE_UNEVENNESS = (1 / 7 - 1 / 12) ** 0.5
_MAJOR_PROFILE = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR_PROFILE = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)

# From nothing to full energy. Of 227 clips of nine soundtracks nine tenths have -28 to -13 LUFS, .6 to 1.7 dB of rise
# a frame, and lie around 500 to 1,800 Hz; what was mastered for a shop is louder.
_QUIETEST_LUFS, _LOUDEST_LUFS = -36.0, -8.0
_CALMEST_DB, _BUSIEST_DB = 0.2, 2.0
_DULLEST_HZ, _BRIGHTEST_HZ = 300.0, 3_000.0


@dataclass(frozen=True)
class Attributes:
    """What a piece is like.

    tempo_bpm: beats a minute, NaN where nothing repeats.  tempo_confidence: 0 to 1, how alike the piece is one beat on.
    key: pitch class of the tonic, 0 is C, -1 where nothing has a pitch.  mode: `major` or `minor`, empty without key.
    key_confidence: 0 to 1, by how much the key's correlation exceeds the next best; less where no scale stands out.
    energy: 0 to 1, see `energy_of`.  brightness_hz: mean frequency of what is heard, by amplitude.
    loudness_lufs: as it was mastered.
    """

    tempo_bpm: float
    tempo_confidence: float
    key: int
    mode: str
    key_confidence: float
    energy: float
    brightness_hz: float
    loudness_lufs: float


def attributes_of(samples: Floats, power: MelPower, params: SpectrogramParams) -> Attributes:
    """Attributes of a piece. samples: (excerpts, n) float32, as those that `power` was made of."""
    onsets = onset_strength(power.decibels)
    tempo, tempo_confidence = tempo_of(onsets, params.frames_per_second)
    key, mode, key_confidence = key_of(chroma(samples, params.sample_rate))
    brightness = _brightness(power, params)
    energy = energy_of(power.loudness_lufs, float(onsets.mean()), brightness)
    return Attributes(tempo, tempo_confidence, key, mode, key_confidence, energy, brightness, power.loudness_lufs)


def onset_strength(decibels: Floats) -> Floats:
    """(excerpts, frames - 1) float32: by how many dB the bands rise from frame to frame, in the mean of all bands.

    decibels: (excerpts, mels, frames) above the loudness of the piece.
    """
    audible = np.maximum(decibels, np.float32(_AUDIBLE_DB))
    rise = np.diff(audible, axis=2)
    return np.asarray(np.maximum(rise, np.float32(0), out=rise).mean(axis=1))


def tempo_of(onsets: Floats, frames_per_second: float) -> tuple[float, float]:
    """(beats a minute, confidence) from onset strength; (NaN, 0) where nothing ever starts.

    The autocorrelation of the onsets, read at one, two, three and four periods, times how usual the tempo is. Nothing
    is half a period after a click, so that a click track isn't taken for one of twice its tempo; likeness falls with
    distance, as less of an excerpt is left to compare, so that it isn't taken for one of half.
    """
    likeness = _autocorrelation(onsets)
    if not likeness[0]:
        return float("nan"), 0.0
    tempos = np.geomspace(_SLOWEST_BPM, _FASTEST_BPM, _TEMPO_STEPS)
    periods = 60.0 * _STEPS_PER_FRAME * frames_per_second / tempos
    beats = sum(weight * _at(likeness, place * periods) for place, weight in enumerate(_BEAT_WEIGHTS, 1))
    score = beats * _usual(tempos)
    best = int(np.argmax(score))
    if score[best] <= 0:
        return float("nan"), 0.0
    confidence = float(_at(likeness, periods[best : best + 1])[0])
    return float(_between(tempos, score, best)), min(1.0, max(0.0, confidence))


def _autocorrelation(onsets: Floats) -> Floats:
    """(steps,) float64: likeness of the onsets with themselves so many steps later, 1 at none, mean of excerpts.

    Sums over what is left of an excerpt are not made up for: what is seen seldom counts less.
    """
    centred = np.asarray(onsets, dtype=np.float64) - onsets.mean(axis=1, keepdims=True)
    length = centred.shape[1]
    padded = scipy.fft.next_fast_len(2 * length, real=True)
    power = np.square(np.abs(scipy.fft.rfft(centred, padded, axis=1))).sum(axis=0)
    products = scipy.fft.irfft(power, padded * _STEPS_PER_FRAME)[: length * _STEPS_PER_FRAME] * _STEPS_PER_FRAME
    # An excerpt of hardly any change, all rounding, has no beat.
    return np.asarray(products / products[0] if products[0] > 1e-6 * length else np.zeros_like(products))


def _at(likeness: Floats, lags: Floats) -> Floats:
    """Values between steps, on the line between neighbours; 0 beyond the end."""
    return np.asarray(np.interp(lags, np.arange(len(likeness)), likeness, right=0.0))


def _usual(tempos: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * (np.log2(tempos / _USUAL_BPM) / _USUAL_OCTAVES) ** 2))


def _between(values: Floats, score: Floats, best: int) -> float:
    """The value at the top of the parabola through the best score and its neighbours."""
    if not 0 < best < len(score) - 1:
        return float(values[best])
    before, here, after = score[best - 1 : best + 2]
    bend = before - 2 * here + after
    offset = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(values[best] * (values[best + 1] / values[best]) ** offset)


def chroma(samples: Floats, sample_rate: int) -> Floats:
    """(12,) float64: share of each pitch class, C first; zeros where nothing has a pitch.

    Peaks of long spectra between A2 and A6, each at the frequency its neighbours tell, by amplitude, every frame alike.
    The tuning is the piece's own: the mean deviation of its peaks from the keys of a piano.
    """
    # Above twice the highest pitch nothing is needed, and a quarter of the samples takes half the time.
    slow = [soxr.resample(excerpt, sample_rate, _PITCH_SAMPLE_RATE, quality="LQ") for excerpt in samples]
    peaks = [_peaks(excerpt, _PITCH_SAMPLE_RATE) for excerpt in slow]
    amplitudes, pitches = (np.concatenate(parts) for parts in zip(*peaks, strict=True))
    if not len(amplitudes):
        return np.zeros(12)
    turns = np.sum(amplitudes * np.exp(2j * np.pi * pitches))
    tuning = np.angle(turns) / (2 * np.pi)
    classes = np.mod(np.rint(pitches - tuning).astype(np.int64) + _A_ABOVE_C, 12)
    shares = np.bincount(classes, weights=amplitudes, minlength=12)
    return np.asarray(shares / shares.sum())


def _peaks(samples: Floats, sample_rate: float) -> tuple[Floats, Floats]:
    """(amplitude beside its frame's strongest, semitones above A4) of every spectral peak of an excerpt."""
    window_samples = scipy.fft.next_fast_len(round(_PITCH_WINDOW_SECONDS * sample_rate), real=True)
    first = int(_LOWEST_PITCH_HZ * window_samples / sample_rate)
    last = min(int(_HIGHEST_PITCH_HZ * window_samples / sample_rate) + 1, window_samples // 2 - 1)
    frames = np.lib.stride_tricks.sliding_window_view(samples, window_samples)[:: window_samples // 2]
    lines = np.abs(scipy.fft.rfft(frames * hann(window_samples), axis=1)[:, first - 1 : last + 1])
    before, here, after = lines[:, :-2], lines[:, 1:-1], lines[:, 2:]
    loudest = here.max(axis=1, keepdims=True)
    is_peak = (here > before) & (here >= after) & (here > _WEAKEST_PEAK * loudest) & (loudest > _QUIETEST_LINE)
    frame, line = np.nonzero(is_peak)
    low, top, high = (np.log(np.maximum(side[frame, line], 1e-12)).astype(np.float64) for side in (before, here, after))
    offset = 0.5 * (low - high) / np.minimum(low - 2 * top + high, -1e-9)
    frequencies = (first + line + np.clip(offset, -0.5, 0.5)) * sample_rate / window_samples
    amplitudes = (here[frame, line] / loudest[frame, 0]).astype(np.float64)
    return amplitudes, np.asarray(12 * np.log2(frequencies / _A4_HZ))


def key_of(shares: Floats) -> tuple[int, str, float]:
    """(pitch class of the tonic, mode, confidence) whose profile correlates best; (-1, "", 0) without any pitch.

    shares: (12,) of the pitch classes, C first.  Ties go to the lower tonic, and to major.
    """
    if not np.ptp(shares):
        return -1, "", 0.0
    centred = shares - shares.mean()
    unevenness = float(np.linalg.norm(centred))
    correlations = _profiles() @ (centred / unevenness)
    best = int(np.argmax(correlations))
    margin = float(correlations[best]) - float(np.max(np.delete(correlations, best)))
    confidence = max(0.0, margin) * min(1.0, unevenness / _SCALE_UNEVENNESS)
    return best % 12, MAJOR if best < 12 else MINOR, confidence


@lru_cache(maxsize=1)
def _profiles() -> Floats:
    """(24, 12) float64: the profile of each key, major ones first, mean 0 and length 1."""
    keys = np.array([np.roll(profile, tonic) for profile in (_MAJOR_PROFILE, _MINOR_PROFILE) for tonic in range(12)])
    centred = keys - keys.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.linalg.norm(centred, axis=1, keepdims=True))


def energy_of(loudness_lufs: float, rise_db: float, brightness_hz: float) -> float:
    """0 to 1: the mean of how loud, how busy and how bright, loud and busy twice.

    loudness_lufs: before it was equalised, so that it depends on mastering too.  rise_db: mean onset strength a frame.
    Loudness and rise count linearly between what is least and most in music, brightness by its logarithm.
    """
    loud = _ramp(loudness_lufs, _QUIETEST_LUFS, _LOUDEST_LUFS)
    busy = _ramp(rise_db, _CALMEST_DB, _BUSIEST_DB)
    bright = _ramp(np.log(max(brightness_hz, 1.0)), np.log(_DULLEST_HZ), np.log(_BRIGHTEST_HZ))
    return (2 * loud + 2 * busy + bright) / 5


def _ramp(value: float, lowest: float, highest: float) -> float:
    return float(min(1.0, max(0.0, (value - lowest) / (highest - lowest))))


def _brightness(power: MelPower, params: SpectrogramParams) -> float:
    """Hz: centre of the bands, weighted by amplitude; 0 in silence."""
    amplitude = np.sqrt(power.bands.mean(axis=(0, 2), dtype=np.float64))
    total = float(amplitude.sum())
    return float((amplitude * mel_centres(params)).sum() / total) if total else 0.0
