"""What a trained network says of any sound: vectors, genres, voice; and the file it is kept in.

Belongs here: prediction, the model's file. Does not: training (training.py), layers (network.py).
"""

import io
import json
import pickle
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models_ml.arrays import Floats, Progress, silent
from models_ml.errors import InputError
from models_ml.landing.storage import replace_file
from models_ml.sound.network import SHORTEST_FRAMES, NetworkShape, SoundNetwork, device_named, repeatable
from models_ml.sound.spectrograms import Bytes

_FORMAT = 1
# Tracks heard at once, always filled up to as many: the last bits of a product depend on how many rows it has.
_TRACKS_AT_ONCE = 32


@dataclass(frozen=True)
class SoundPredictions:
    """What is heard in n tracks.

    vectors: (n, f) float32 predicted collaborative vectors, as long as trained ones.
    embedding: (n, e) float32 of length 1 (0 where nothing fires): near where two tracks sound alike to the network.
    genres: (n, g) float32 chances, one genre does not exclude another.  instrumental: (n,) float32 chance.
    """

    vectors: Floats
    embedding: Floats
    genres: Floats
    instrumental: Floats


@dataclass(frozen=True)
class SoundQuality:
    """How training went; NaN where no track was kept aside.

    epochs: passes made.  best_epoch: the pass whose weights were kept, counted from 1.
    validation_cosine: between predicted and learnt vectors of the tracks kept aside, weighted by evidence.
    validation_explained: share of their squared deviation from the mean vector that is predicted; 0 is worth nothing.
    """

    epochs: int
    best_epoch: int
    warm_started: bool
    training_tracks: int
    validation_tracks: int
    training_loss: float
    validation_loss: float
    validation_cosine: float
    validation_explained: float


@dataclass(frozen=True)
class SoundModel:
    """A trained network with all it needs: normalisation, the vectors' mean and scale, the genres' names."""

    network: SoundNetwork
    mean_vector: Floats
    scale: float
    genre_names: tuple[str, ...]
    quality: SoundQuality
    threads: int = 2
    device: str = "auto"

    def embed(self, blocks: Iterable[Bytes], progress: Progress = silent) -> SoundPredictions:
        """Predictions for all tracks of the blocks, in their order; each is the mean over its excerpts.

        blocks: uint8 levels (k, excerpts, mels, frames), as many as fit in memory at a time.
        Raises InputError where the bands are not those of training, or the frames are too few.
        """
        parts = []
        with repeatable(self.threads, self._device), torch.inference_mode():
            self.network.to(self._device).eval()
            for block in blocks:
                self._check(block)
                parts += [self._batch(block[at : at + _TRACKS_AT_ONCE]) for at in range(0, len(block), _TRACKS_AT_ONCE)]
                progress(f"sound vectors: {sum(len(part.vectors) for part in parts):,} tracks")
        return self._joined(parts)

    def to_bytes(self) -> bytes:
        """The whole model; the same model gives the same bytes."""
        about = {
            "format": _FORMAT,
            "shape": asdict(self.network.shape),
            "scale": self.scale,
            "genre_names": self.genre_names,
            "quality": asdict(self.quality),
            "threads": self.threads,
            "device": self.device,
        }
        weights = {name: weight.cpu() for name, weight in self.network.state_dict().items()}
        # As one text: pickle writes a name that is the same object as an earlier one as a reference, so that a model
        # that was read would give other bytes than the one that was written.
        kept = {"about": json.dumps(about), "weights": weights, "mean_vector": torch.from_numpy(self.mean_vector)}
        return tensor_bytes(kept)

    @classmethod
    def from_bytes(cls, stored: bytes, name: str = "sound model") -> "SoundModel":
        """What `to_bytes` gave; InputError, beginning with `name`, where it is something else."""
        kept = read_tensors(stored, name)
        about = json.loads(kept.get("about", "{}"))
        if about.get("format") != _FORMAT:
            raise InputError(f"{name}: not a sound model of format {_FORMAT}; train it again")
        network = SoundNetwork(NetworkShape(**about["shape"]))
        network.load_state_dict(kept["weights"])
        names, quality = tuple(about["genre_names"]), SoundQuality(**about["quality"])
        use = about["threads"], about["device"]
        return cls(network.eval(), kept["mean_vector"].numpy(), about["scale"], names, quality, *use)

    def save(self, path: Path) -> None:
        """Write it beside and rename: a reader sees the old file or the new one, whole. Raises StorageError."""
        replace_file(path, self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> "SoundModel":
        """What `save` wrote. Raises InputError where there is no file, or another one."""
        try:
            return cls.from_bytes(path.read_bytes(), str(path))
        except OSError as error:
            raise InputError(
                f"{path}: can't be read ({error.strerror or error}); train the sound model first"
            ) from error

    @property
    def _device(self) -> torch.device:
        return device_named(self.device)

    def _check(self, block: Bytes) -> None:
        mels = self.network.shape.mels
        if block.ndim != 4 or block.shape[2] != mels or block.shape[3] < SHORTEST_FRAMES or not block.shape[1]:
            wanted = f"(tracks, excerpts, {mels}, {SHORTEST_FRAMES} or more)"
            raise InputError(f"sound model: spectrograms of shape {block.shape}; it was trained on {wanted}")

    def _batch(self, block: Bytes) -> SoundPredictions:
        """Predictions of at most _TRACKS_AT_ONCE tracks."""
        count, excerpts = block.shape[:2]
        filled = np.zeros((_TRACKS_AT_ONCE, *block.shape[1:]), dtype=np.float32)
        filled[:count] = block
        levels = torch.from_numpy(filled.reshape(-1, *block.shape[2:])).to(self._device)
        heard = self.network(self.network.normalised(levels))

        def mean(values: torch.Tensor) -> Floats:
            """(count, ...) over towers and excerpts."""
            means = values.mean(0).reshape(_TRACKS_AT_ONCE, excerpts, *values.shape[2:]).mean(1)
            return np.asarray(means[:count].cpu().numpy())

        vectors = mean(heard.vectors) * np.float32(self.scale) + self.mean_vector
        # One tower's hidden layer has nothing to do with another's: side by side, not added up.
        side_by_side = heard.embedding.permute(1, 0, 2).flatten(1)[None]
        chances = torch.sigmoid(heard.genres), torch.sigmoid(heard.instrumental)
        return SoundPredictions(vectors, _of_length_one(mean(side_by_side)), mean(chances[0]), mean(chances[1]))

    def _joined(self, parts: list[SoundPredictions]) -> SoundPredictions:
        shape = self.network.shape
        empty = SoundPredictions(
            np.zeros((0, shape.factors), dtype=np.float32),
            np.zeros((0, shape.embedding * shape.towers), dtype=np.float32),
            np.zeros((0, shape.genres), dtype=np.float32),
            np.zeros(0, dtype=np.float32),
        )
        every = [empty, *parts]
        return SoundPredictions(
            np.concatenate([part.vectors for part in every]),
            np.concatenate([part.embedding for part in every]),
            np.concatenate([part.genres for part in every]),
            np.concatenate([part.instrumental for part in every]),
        )


def centred(embedding: Floats) -> Floats:
    """Rows without what all have in common, at length 1: before, any two pieces have a cosine near 1."""
    mean = embedding.astype(np.float64).mean(axis=0) if len(embedding) else 0.0
    return _of_length_one(np.asarray(embedding - mean, dtype=np.float32))


def _of_length_one(vectors: Floats) -> Floats:
    """Each row at length 1; a row of zeros stays."""
    lengths = np.sqrt(np.square(vectors).sum(axis=1, keepdims=True))
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def tensor_bytes(kept: dict[str, Any]) -> bytes:
    """Tensors, numbers and names as bytes, without anything that would be run when they are read."""
    buffer = io.BytesIO()
    torch.save(kept, buffer)
    return buffer.getvalue()


def read_tensors(stored: bytes, name: str) -> dict[str, Any]:
    """What `tensor_bytes` gave; InputError where it is damaged or something else."""
    try:
        kept = torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile, ValueError, KeyError) as error:
        raise InputError(f"{name}: can't be read, it is damaged or something else; train it again") from error
    if not isinstance(kept, dict):
        raise InputError(f"{name}: holds {type(kept).__name__}, not a sound model; train it again")
    return kept
