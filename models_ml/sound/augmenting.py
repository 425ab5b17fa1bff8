"""What the network gets to hear of a track in one pass: never twice the same.

Belongs here: random excerpts, crops, equaliser curves, blanks, and who is mixed with whom.
Does not: the network, the loss.

Everything is drawn from one generator in one order, so that a pass is a function of its seed.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models_ml.arrays import Floats, Ints
from models_ml.sound.model_params import SoundModelParams
from models_ml.sound.spectrograms import STEPS_PER_DB

Bytes = npt.NDArray[np.uint8]

# Level, tilt, bow and one wave more: what a mixing desk or a room does to a whole piece.
_EQUALISER_CURVES = 4


@dataclass(frozen=True)
class Blanks:
    """What is blanked of each track. bands: (b, mels) and frames: (b, frames), True where blanked."""

    bands: npt.NDArray[np.bool_]
    frames: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Mixing:
    """partner: (b,) place in the batch of the track mixed in.  share: (b,) float32 of the first, at least a half."""

    partner: Ints
    share: Floats


def crops(blocks: Bytes, params: SoundModelParams, random: np.random.Generator) -> Floats:
    """(b, mels, frames) float32 levels: a random part of a random excerpt of each, under a random equaliser.

    blocks: (b, excerpts, mels, frames) uint8 levels.
    """
    count, excerpts, mels, frames = blocks.shape
    length = min(params.crop_frames, frames)
    excerpt = np.asarray(random.integers(0, excerpts, count))
    start = np.asarray(random.integers(0, frames - length + 1, count))
    cut = np.empty((count, mels, length), dtype=np.float32)
    for place in range(count):
        cut[place] = blocks[place, excerpt[place], :, start[place] : start[place] + length]
    cut += equaliser(count, mels, params.equaliser_db, random)[:, :, None]
    return cut


def equaliser(count: int, mels: int, deviation_db: float, random: np.random.Generator) -> Floats:
    """(count, mels) float32 levels: smooth random curves, sums of the first cosines over the bands."""
    places = (np.arange(mels) + 0.5) / mels
    curves = np.cos(np.pi * np.arange(_EQUALISER_CURVES)[:, None] * places)
    sizes = random.normal(0.0, deviation_db * STEPS_PER_DB, (count, _EQUALISER_CURVES))
    return np.asarray(np.einsum("cw,wm->cm", sizes, curves), dtype=np.float32)


def blanks(count: int, mels: int, frames: int, params: SoundModelParams, random: np.random.Generator) -> Blanks:
    """One run of bands and one of frames for each track, after SpecAugment (Park et al. 2019); some are empty."""
    return Blanks(
        _runs(count, mels, min(params.mask_bands, mels // 2), random),
        _runs(count, frames, min(params.mask_frames, frames // 2), random),
    )


def _runs(count: int, length: int, longest: int, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """(count, length) True in one run of 0 to `longest` places in each row."""
    run = random.integers(0, longest + 1, count)
    start = random.integers(0, length - run + 1)
    place = np.arange(length)
    return np.asarray((place >= start[:, None]) & (place < (start + run)[:, None]))


def mixing(count: int, shape: float, random: np.random.Generator) -> Mixing:
    """Partners and shares after mixup (Zhang et al. 2018): a share is drawn from Beta(shape, shape)."""
    partner = random.permutation(count)
    share = random.beta(shape, shape, count) if shape else np.ones(count)
    return Mixing(partner, np.maximum(share, 1 - share).astype(np.float32))
