"""The network that hears: from a log-mel-spectrogram to a collaborative vector, genres and voice.

Belongs here: layers, pooling over time, how several towers are put together.
Does not: losses and training (training.py), files (vectors.py).

After van den Oord, Dieleman and Schrauwen, "Deep content-based music recommendation" (NIPS 2013): convolutions over
time only, with the mel bands as channels, then statistics over time, then dense layers; normalisation of layers and
the weight decay as in Nam et al., "Deep Learning for Audio-Based Music Classification and Tagging" (IEEE SPM 2019).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

# Two poolings by two: fewer frames than this would leave no neighbours in time.
SHORTEST_FRAMES = 8
# Keeps the slope of a standard deviation finite where nothing varies; the bands have deviation 1.
_SMALLEST_VARIANCE = 1e-4


@dataclass(frozen=True)
class NetworkShape:
    """Everything that decides how many weights there are.

    factors: length of a collaborative vector.  genres: how many; may be 0.
    """

    mels: int
    channels: int
    embedding: int
    factors: int
    genres: int
    towers: int
    dropout: float


@dataclass(frozen=True)
class Heard:
    """What the towers make of a batch of b excerpts; t towers.

    vectors: (t, b, factors) standardised.  genres: (t, b, genres) and instrumental: (t, b), logits.
    embedding: (t, b, embedding) the layer before these.
    """

    vectors: Tensor
    genres: Tensor
    instrumental: Tensor
    embedding: Tensor


class SoundNetwork(nn.Module):
    """Several towers over one normalised spectrogram; they differ by their random start and what they drop."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("mean", torch.zeros(shape.mels, 1))
        self.register_buffer("deviation", torch.ones(shape.mels, 1))
        self.towers = nn.ModuleList(_Tower(shape) for _ in range(shape.towers))

    def normalised(self, levels: Tensor) -> Tensor:
        """Levels (b, mels, frames) as deviations from the mean of each band."""
        return (levels - self.mean) / self.deviation

    def forward(self, normalised: Tensor, blanked: Tensor | None = None) -> Heard:
        """normalised: (b, mels, frames) float32, at least SHORTEST_FRAMES frames.

        blanked: the same with parts of it 0, for the convolutions; statistics are of the whole, since the edges of a
        blank would be changes, and what is blanked no spread.
        """
        plain, seen = plain_statistics(normalised), normalised if blanked is None else blanked
        outputs, embeddings = zip(*(tower(seen, plain) for tower in self.towers), strict=True)
        together, factors = torch.stack(outputs), self.shape.factors
        return Heard(
            together[..., :factors],  # (t, b, factors)
            together[..., factors:-1],  # (t, b, genres)
            together[..., -1],  # (t, b)
            torch.stack(embeddings),
        )


class _Tower(nn.Module):
    """Convolutions over time, statistics of what they find and of the bands themselves, dense layers."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        channels = shape.channels
        self.first = _Convolution(shape.mels, channels, 5)
        self.second = _Convolution(channels, channels, 3)
        self.third = _Convolution(channels, channels, 3)
        pooled = 3 * channels + 6 * shape.mels - 1
        self.level = _Level(pooled)
        self.drop_pooled = nn.Dropout(shape.dropout)
        self.dense = nn.Linear(pooled, shape.embedding)
        self.drop_hidden = nn.Dropout(shape.dropout)
        self.output = nn.Linear(shape.embedding, shape.factors + shape.genres + 1)
        # Starts as the mean vector and even chances.
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, bands: Tensor, plain: Tensor) -> tuple[Tensor, Tensor]:
        """(b, factors + genres + 1) outputs and (b, embedding) of (b, mels, frames) and their plain statistics."""
        found = functional.max_pool1d(self.first(bands), 2)  # (b, channels, frames / 2)
        found = functional.max_pool1d(self.second(found), 2)  # (b, channels, frames / 4)
        found = self.third(found)
        pooled = torch.cat([found.mean(2), found.amax(2), _deviation(found), plain], dim=1)
        embedding = functional.relu(self.dense(self.drop_pooled(self.level(pooled))))
        return self.output(self.drop_hidden(embedding)), embedding


class _Level(nn.BatchNorm1d):
    """Batch normalisation of (b, c); a batch of one, which has no deviation, is measured by what was seen so far."""

    def forward(self, input: Tensor) -> Tensor:
        if len(input) > 1:
            return super().forward(input)
        return functional.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)


class _Convolution(nn.Module):
    """Convolution over time, normalised over the batch, rectified; as many frames come out as go in."""

    def __init__(self, channels_in: int, channels_out: int, width: int) -> None:
        super().__init__()
        self.convolve = nn.Conv1d(channels_in, channels_out, width, padding=width // 2, bias=False)
        self.normalise = nn.BatchNorm1d(channels_out)

    def forward(self, frames: Tensor) -> Tensor:
        return functional.relu(self.normalise(self.convolve(frames)))


def plain_statistics(bands: Tensor) -> Tensor:
    """(b, 6 mels - 1) of (b, mels, frames), without any weight: level, spread, range of each band, and how it changes.

    Changes from frame to frame tell attacks from held notes; those from band to band tell tones, which stand out of
    their neighbours, from noise. A convolution over time finds the second kind hard: a band is only a channel to it.
    """
    in_time, in_pitch = bands.diff(dim=2).abs(), bands.diff(dim=1).abs()
    level, spread = bands.mean(2), _deviation(bands)
    return torch.cat([level, spread, in_time.mean(2), in_pitch.mean(2), bands.amax(2), bands.amin(2)], dim=1)


def _deviation(frames: Tensor) -> Tensor:
    """(b, c) standard deviation over time of (b, c, frames); a third of the time that torch's own takes."""
    variance = frames.square().mean(2) - frames.mean(2).square()
    return torch.sqrt(variance.clamp(min=0.0) + _SMALLEST_VARIANCE)


def device_named(name: str) -> torch.device:
    """auto: a GPU where there is one; any other name as torch has it."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextlib.contextmanager
def repeatable(threads: int, device: torch.device) -> Iterator[None]:
    """Inside, the same work gives the same bytes: so many threads, fixed algorithms; afterwards all is as before.

    On a GPU a few sums have no fixed order without settings of the whole process: there, torch warns, it doesn't fail.
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1], warn_only=warned)
