"""Log-mel-spectrograms at equal loudness, and the bytes they are kept as.

Belongs here: parameters of what is heard of a piece, framing, mel bands, decibels, quantisation.
Does not: files, attributes, networks.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.sparse

from models_ml.arrays import Floats
from models_ml.errors import InputError
from models_ml.sound.equalising import ear_weights, gated_loudness

Bytes = npt.NDArray[np.uint8]

# Of 227 clips of nine soundtracks half of all values lie above -33 dB, 95 % above -66, one in a thousand above 0.5,
# and the highest is 11.
LOWEST_DB = -70.0
HIGHEST_DB = 15.0
STEPS_PER_DB = 3
# Frames worked on at once, so that their spectra stay in the processor's cache: 20 s take 6.0 ms by 64, 13 ms by 848.
_BLOCK_FRAMES = 64


@dataclass(frozen=True)
class SpectrogramParams:
    """What is heard of each piece, and how finely."""

    sample_rate: int = field(
        default=22_050,
        metadata={"unit": "Hz", "min": 8_000, "max": 48_000, "doc": "All sound is resampled to this rate, in mono."},
    )
    excerpts: int = field(
        default=4,
        metadata={"unit": "excerpts", "min": 1, "max": 32, "doc": "Parts heard of each piece, spread evenly over it."},
    )
    excerpt_seconds: float = field(
        default=5.0, metadata={"unit": "seconds", "min": 1.0, "max": 60.0, "doc": "Length of each part."}
    )
    mels: int = field(
        default=96, metadata={"unit": "bands", "min": 16, "max": 256, "doc": "Bands of equal width on the mel scale."}
    )
    window_samples: int = field(
        # 93 ms, 10.8 Hz between lines: with 1,024 the lowest of 96 bands would be narrower than one line.
        default=2_048,
        metadata={"unit": "samples", "min": 256, "max": 8_192, "doc": "Length of the Hann window of each frame."},
    )
    hop_samples: int = field(
        default=512, metadata={"unit": "samples", "min": 64, "max": 4_096, "doc": "From one frame to the next."}
    )
    lowest_hz: float = field(
        default=30.0, metadata={"unit": "Hz", "min": 0.0, "max": 500.0, "doc": "Lower edge of the lowest band."}
    )
    highest_hz: float = field(
        # Below what common encodings cut off: 10 kHz (files of 22.05 kHz), 11 and 16 kHz (mp3 of 64 and 128 kbit/s).
        default=8_000.0,
        metadata={
            "unit": "Hz",
            "min": 2_000.0,
            "max": 24_000.0,
            "doc": "Upper edge of the highest band. What lies above is not heard, so that cut-offs there don't show.",
        },
    )

    def __post_init__(self) -> None:
        if not self.lowest_hz < self.highest_hz <= self.sample_rate / 2:
            message = f"sound: highest_hz is {self.highest_hz:g}; it must lie above lowest_hz ({self.lowest_hz:g})"
            raise InputError(f"{message} and not above half of sample_rate ({self.sample_rate / 2:g})")
        if not self.hop_samples <= self.window_samples <= self.excerpt_samples:
            message = f"sound: window_samples is {self.window_samples}; it must lie between hop_samples"
            raise InputError(f"{message} ({self.hop_samples}) and an excerpt ({self.excerpt_samples})")

    @property
    def excerpt_samples(self) -> int:
        """Samples of each excerpt."""
        return round(self.excerpt_seconds * self.sample_rate)

    @property
    def frames(self) -> int:
        """Frames of each excerpt: whole windows only, nothing is padded."""
        return 1 + (self.excerpt_samples - self.window_samples) // self.hop_samples

    @property
    def frames_per_second(self) -> float:
        """Frames in a second."""
        return self.sample_rate / self.hop_samples

    @property
    def shape(self) -> tuple[int, int, int]:
        """(excerpts, mels, frames) of a spectrogram."""
        return self.excerpts, self.mels, self.frames


@dataclass(frozen=True)
class MelPower:
    """Power spectra of a piece, before anything is equalised.

    bands: (excerpts, mels, frames) float32 mean square in each band.
    weighted: (excerpts, frames) float32 mean square of all bands together, weighted as the ear does.
    loudness_lufs: of the piece; SILENCE_LUFS where nothing is heard.
    """

    bands: Floats
    weighted: Floats
    loudness_lufs: float

    @property
    def decibels(self) -> Floats:
        """(excerpts, mels, frames) float32: dB above the loudness of the piece, within LOWEST_DB..HIGHEST_DB."""
        # The natural logarithm of float32 is three times as fast as the one to base ten.
        level = np.log(np.maximum(self.bands, np.float32(1e-20)))
        level *= np.float32(10 / np.log(10))
        level -= np.float32(self.loudness_lufs)
        return np.clip(level, np.float32(LOWEST_DB), np.float32(HIGHEST_DB), out=level)


def log_mel(samples: Floats, params: SpectrogramParams) -> Floats:
    """Log-mel-spectrogram at equal loudness.

    samples: (excerpts, n) float32, at params.sample_rate, n = params.excerpt_samples.
    Returns (excerpts, mels, frames) float32: dB above the loudness of the piece, within LOWEST_DB..HIGHEST_DB. A sine
    of 1 kHz is near 0 dB in its band; of silence everything is LOWEST_DB.
    """
    return mel_power(samples, params).decibels


def mel_power(samples: Floats, params: SpectrogramParams) -> MelPower:
    """Power in mel bands, and the loudness; arguments as of `log_mel`. InputError where the shape is another."""
    if samples.ndim != 2 or samples.shape[1] != params.excerpt_samples:
        wanted = f"({params.excerpts}, {params.excerpt_samples})"
        raise InputError(f"sound: samples of shape {samples.shape}; {wanted} is wanted")
    bands = np.stack([_bands_of(excerpt, params) for excerpt in samples])
    weighted = bands[:, -1]
    loudness = gated_loudness(weighted, params.frames_per_second)
    return MelPower(bands[:, :-1], weighted, loudness)


def _bands_of(samples: Floats, params: SpectrogramParams) -> Floats:
    """(mels + 1, frames) float32: the mel bands, and all together as the ear weighs them."""
    bank, window = _bank(params), hann(params.window_samples)
    frames = np.lib.stride_tricks.sliding_window_view(samples, params.window_samples)[:: params.hop_samples]
    bands = np.empty((bank.shape[0], len(frames)), dtype=np.float32)
    for start in range(0, len(frames), _BLOCK_FRAMES):
        block = frames[start : start + _BLOCK_FRAMES]
        spectra = scipy.fft.rfft(block * window, axis=1, overwrite_x=True)[:, : bank.shape[1]]
        power = np.square(spectra.real)
        power += np.square(spectra.imag)
        bands[:, start : start + len(block)] = bank @ power.T
    return bands


@lru_cache(maxsize=8)
def hann(samples: int) -> Floats:
    """(samples,) float32: a periodic Hann window, whose overlapping squares add up to a constant."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples), dtype=np.float32)


@lru_cache(maxsize=8)
def _bank(params: SpectrogramParams) -> scipy.sparse.csr_matrix:
    """(mels + 1, lines) float32: from squared lines of a windowed spectrum to mean squares (Parseval).

    Sparse: a line lies in two bands, and sums are added in one order whatever the threads.
    """
    lines = np.fft.rfftfreq(params.window_samples, 1 / params.sample_rate)
    triangles = mel_triangles(lines, params)
    together = ear_weights(lines) * ((lines >= params.lowest_hz) & (lines <= params.highest_hz))
    scale = 2 / (params.window_samples * float(np.square(hann(params.window_samples), dtype=np.float64).sum()))
    used = int(np.searchsorted(lines, params.highest_hz, side="right"))
    bank = np.vstack([triangles, together])[:, :used] * scale
    return scipy.sparse.csr_matrix(bank.astype(np.float32))


def mel_triangles(lines_hz: Floats, params: SpectrogramParams) -> Floats:
    """(mels, lines) float64: overlapping triangles of height 1, evenly spaced in mel = 2595 log10(1 + f / 700).

    Their sum is 1 between the first centre and the last, so that bands add up to the power. Without a division by
    their widths, as some have it, music, whose power falls with frequency, uses the range of the bytes evenly.
    """
    corners = _corners(params)
    rising = (lines_hz - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - lines_hz) / (corners[2:] - corners[1:-1])[:, None]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


def mel_centres(params: SpectrogramParams) -> Floats:
    """(mels,) float64: the frequency in Hz at which each band is fully open."""
    return _corners(params)[1:-1]


def _corners(params: SpectrogramParams) -> Floats:
    """(mels + 2,) float64 Hz: where each triangle begins, peaks and ends, its neighbours' corners."""
    lowest, highest = (2595 * np.log10(1 + hz / 700) for hz in (params.lowest_hz, params.highest_hz))
    return np.asarray(700 * (10 ** (np.linspace(lowest, highest, params.mels + 2) / 2595) - 1))


def quantised(decibels: Floats) -> Bytes:
    """uint8 of the same shape: thirds of a decibel above LOWEST_DB, 255 for HIGHEST_DB."""
    steps = (np.asarray(decibels, dtype=np.float32) - np.float32(LOWEST_DB)) * np.float32(STEPS_PER_DB)
    return np.asarray(np.clip(np.rint(steps), 0, 255), dtype=np.uint8)


def decibels_of(levels: Bytes) -> Floats:
    """float32 decibels of the same shape; `quantised` gives the same levels back."""
    return levels.astype(np.float32) / np.float32(STEPS_PER_DB) + np.float32(LOWEST_DB)


def to_bytes(decibels: Floats) -> bytes:
    """A spectrogram, quantised, as it is kept: excerpt by excerpt, band by band, frame by frame."""
    return quantised(decibels).tobytes()


def from_bytes(stored: bytes, params: SpectrogramParams) -> Floats:
    """(excerpts, mels, frames) float32 decibels of what `to_bytes` gave. InputError where the length is another."""
    if len(stored) != params.excerpts * params.mels * params.frames:
        message = f"sound: a stored spectrogram has {len(stored)} bytes"
        raise InputError(f"{message}; {params.shape} have {params.excerpts * params.mels * params.frames}")
    return decibels_of(np.frombuffer(stored, dtype=np.uint8).reshape(params.shape))
