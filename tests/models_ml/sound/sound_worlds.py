"""Made-up spectrograms whose loud band says which vector belongs to them."""

import numpy as np

from models_ml.arrays import Floats, Ints
from models_ml.sound.spectrograms import Bytes
from models_ml.sound.training import MelReader, SoundModelParams, SoundTargets

KINDS, MELS, FRAMES, FACTORS = 4, 16, 32, 6
PARAMS = SoundModelParams(
    channels=8,
    embedding=16,
    dropout=0.2,
    epochs=10,
    warm_epochs=2,
    batch_tracks=16,
    learning_rate=0.01,
    crop_frames=24,
    mask_bands=2,
    mask_frames=6,
    threads=1,
    device="cpu",
)


def kinds(count: int, seed: int = 0) -> Ints:
    """(count,) which of KINDS each track is."""
    return np.random.default_rng(seed).integers(0, KINDS, count)


def mels_of(kind: Ints, seed: int = 1) -> Bytes:
    """(n, 2, MELS, FRAMES) noise between 60 and 100, 60 louder in the four bands of the kind."""
    noise = np.random.default_rng(seed).integers(60, 100, (len(kind), 2, MELS, FRAMES)).astype(np.uint8)
    for row, place in enumerate(kind):
        noise[row, :, 4 * place : 4 * place + 4] += 60
    return noise


def vectors_of(kind: Ints) -> Floats:
    """(n, FACTORS) float32: an axis of its own for each kind, of length 2."""
    return 2 * np.eye(KINDS, FACTORS, dtype=np.float32)[kind]


def targets_of(kind: Ints, **columns: object) -> SoundTargets:
    """Full trust in all vectors; two tracks an artist."""
    given = {"weight": np.ones(len(kind)), "artist": np.arange(len(kind)) // 2, "vectors": vectors_of(kind)}
    return SoundTargets(**{**given, **columns})


def reader(mels: Bytes) -> MelReader:
    """The rows asked for."""
    return lambda rows: mels[rows]
