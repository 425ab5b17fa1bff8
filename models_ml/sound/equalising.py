"""Equal loudness: how loud a piece is to the ear, so that mastering is not taken for taste.

Belongs here: K-weighting and gated loudness, from power spectra. Does not: framing, mel bands.

Two masterings of one recording differ by level, two encodings also by where the top is cut off. What is kept of a
piece is therefore measured against its own loudness, and nothing above `SpectrogramParams.highest_hz` enters, neither
into the spectrogram nor into the loudness. What stays is timbre: the tilt between bass and treble is the music's as
much as the mastering engineer's, so no band is normalised on its own.

Source: ITU-R BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level", annex 1.
"""

import numpy as np

from models_ml.arrays import Floats

# BS.1770-4 tables 1 and 2: the head as a shelf, then a high-pass; coefficients at 48 kHz.
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
_FILTER_SAMPLE_RATE = 48_000
# Makes a sine of 997 Hz at full scale -3.01 LUFS.
_OFFSET_LU = -0.691
_BLOCK_SECONDS = 0.4
_STEP_SECONDS = 0.1
SILENCE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0


def ear_weights(frequencies_hz: Floats) -> Floats:
    """(n,) float64: power gain of the K-weighting at each frequency, from the filters' transfer functions."""
    turn = np.exp(-2j * np.pi * np.asarray(frequencies_hz, dtype=np.float64) / _FILTER_SAMPLE_RATE)
    gain = np.ones(len(turn))
    for ahead, back in (_SHELF, _HIGH_PASS):
        gain = gain * np.abs(np.polyval(ahead[::-1], turn) / np.polyval(back[::-1], turn)) ** 2
    return gain


def gated_loudness(weighted_power: Floats, frames_per_second: float) -> float:
    """Integrated loudness in LUFS, never below SILENCE_LUFS; that value means silence.

    weighted_power: (excerpts, frames) mean square of the K-weighted sound, frame by frame.

    BS.1770's blocks of .4 s, a new one each .1 s, rounded to whole frames and not across excerpts; those below
    SILENCE_LUFS don't count, nor do those 10 LU below the mean of the rest. The filters are applied to power spectra
    instead of samples, which costs nothing beside the spectrogram. One channel: a mono file and its downmix measure
    the same.
    """
    blocks = _block_means(np.asarray(weighted_power, dtype=np.float64), frames_per_second)
    audible = blocks[blocks > _power(SILENCE_LUFS)]
    if not len(audible):
        return SILENCE_LUFS
    kept = audible[audible > audible.mean() * 10 ** (_RELATIVE_GATE_LU / 10)]
    return max(SILENCE_LUFS, float(_OFFSET_LU + 10 * np.log10(kept.mean())))


def _block_means(power: Floats, frames_per_second: float) -> Floats:
    """(blocks,) mean power of the blocks of all excerpts; one block an excerpt where it is shorter than that."""
    frames = power.shape[1]
    size = min(frames, max(1, round(_BLOCK_SECONDS * frames_per_second)))
    step = max(1, round(_STEP_SECONDS * frames_per_second))
    windows = np.lib.stride_tricks.sliding_window_view(power, size, axis=1)[:, ::step]
    return np.asarray(windows.mean(axis=2).ravel())


def _power(loudness_lufs: float) -> float:
    return float(10 ** ((loudness_lufs - _OFFSET_LU) / 10))
