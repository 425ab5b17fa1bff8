"""The state of a training that goes on: written after each pass, read again after a kill.

Belongs here: what of a training is kept, its file, whether it fits. Does not: the training.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from models_ml.arrays import Progress
from models_ml.errors import InputError
from models_ml.landing.storage import replace_file
from models_ml.sound.model_params import SoundModelParams
from models_ml.sound.targets import SoundTargets
from models_ml.sound.vectors import read_tensors, tensor_bytes

Weights = dict[str, torch.Tensor]


@dataclass
class Standing:
    """Where a training stands after `epoch` passes; the best weights are those of `best_epoch`."""

    epoch: int = 0
    training_loss: float = float("nan")
    best_epoch: int = 0
    best_loss: float = float("inf")
    best_weights: Weights | None = None


def fingerprint(
    targets: SoundTargets,
    params: SoundModelParams,
    seed: int,
    bands: tuple[torch.Tensor, torch.Tensor],
    previous: bytes | None,
) -> str:
    """Hash of all that decides the result: a checkpoint of another training is of no use here.

    bands: mean and deviation of each band, in which every spectrogram of the training has its share.
    """
    digest = hashlib.sha256()
    settings = [asdict(params), seed, torch.__version__, targets.vectors.shape, targets.genre_names]
    digest.update(json.dumps(settings, sort_keys=True).encode())
    columns = (targets.vectors, targets.weight, targets.artist)
    for column in (*columns, targets.genres, targets.genre_known, targets.instrumental):
        digest.update(b"none" if column is None else column.tobytes())
    for values in bands:
        digest.update(values.numpy().tobytes())
    digest.update(previous or b"")
    return digest.hexdigest()


def keep(path: Path, name: str, standing: Standing, network: Weights, optimizer: Mapping[str, Any]) -> None:
    """Write the state under the path, whole or not at all."""
    kept = {"fingerprint": name, **asdict(standing), "network": network, "optimizer": dict(optimizer)}
    replace_file(path, tensor_bytes(kept))


def kept_before(path: Path, name: str, progress: Progress) -> tuple[Standing, Weights, dict[str, Any]] | None:
    """State, weights and optimizer of a training that was killed; None, and said, where there is none that fits."""
    if not path.exists():
        return None
    try:
        kept = read_tensors(path.read_bytes(), str(path))
    except InputError:
        progress(f"sound model: {path} is damaged; training starts anew")
        return None
    if kept.get("fingerprint") != name:
        progress(f"sound model: {path} is of another training; training starts anew")
        return None
    names = ("epoch", "training_loss", "best_epoch", "best_loss", "best_weights")
    return Standing(**{key: kept[key] for key in names}), kept["network"], kept["optimizer"]
