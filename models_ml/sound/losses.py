"""How wrong a prediction is: vectors by evidence, genres and voice where they are known.

Belongs here: the loss of each track, and its mean over a batch. Does not: which tracks, or what is done about it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models_ml.arrays import Bools, Floats, Ints
from models_ml.sound.model_params import SoundModelParams
from models_ml.sound.network import Heard
from models_ml.sound.targets import Scaling, SoundTargets


@dataclass(frozen=True)
class Aims:
    """Targets of b tracks as tensors; `weight`, `genre_known` and `voice_known` are 0 where nothing is known.

    vectors: (b, f) standardised.  centre: (f,) what to add for vectors whose direction counts.
    weight: (b,) mean 1 over the tracks trained on.  genres: (b, g).  genre_known, instrumental, voice_known: (b,).
    """

    vectors: Tensor
    centre: Tensor
    weight: Tensor
    genres: Tensor
    genre_known: Tensor
    instrumental: Tensor
    voice_known: Tensor

    @classmethod
    def of(cls, targets: SoundTargets, scaling: Scaling, full_weight: float, device: torch.device) -> "Aims":
        """All tracks of the targets.  full_weight: mean weight of the tracks trained on."""
        count = len(targets.vectors)

        def tensor(values: Floats | Ints | Bools) -> Tensor:
            return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)

        nothing = np.full(count, np.nan, dtype=np.float32)
        genres = np.zeros((count, 0), dtype=bool) if targets.genres is None else targets.genres
        known = np.full(count, targets.genres is not None) if targets.genre_known is None else targets.genre_known
        voice = nothing if targets.instrumental is None else targets.instrumental
        return cls(
            tensor(scaling.scaled(targets.vectors)),
            tensor(scaling.mean / scaling.scale),
            tensor(targets.trusted / full_weight),
            tensor(genres),
            tensor(known),
            tensor(np.nan_to_num(voice)),
            tensor(np.isfinite(voice)),
        )

    def rows(self, rows: Ints) -> "Aims":
        """Those of the rows."""
        at = torch.from_numpy(np.asarray(rows, dtype=np.int64)).to(self.vectors.device)
        return Aims(
            self.vectors[at],
            self.centre,
            self.weight[at],
            self.genres[at],
            self.genre_known[at],
            self.instrumental[at],
            self.voice_known[at],
        )


def loss_of_each(heard: Heard, aims: Aims, params: SoundModelParams) -> Tensor:
    """(b,) loss of each track, the mean over towers of what each of them gets wrong.

    The squared error is that of the standardised vectors, so that always predicting their mean costs 1.
    """
    vectors = aims.weight * (squared_error(heard.vectors, aims) + params.cosine_weight * turned_by(heard.vectors, aims))
    voice = _entropy(heard.instrumental, aims.instrumental) * aims.voice_known
    labels = voice
    if aims.genres.shape[1]:
        labels = voice + _entropy(heard.genres, aims.genres).mean(-1) * aims.genre_known
    return (vectors + params.label_weight * labels).mean(0)


def squared_error(vectors: Tensor, aims: Aims) -> Tensor:
    """(..., b) mean over factors of the squared error of standardised (..., b, f) vectors."""
    return (vectors - aims.vectors).square().mean(-1)


def turned_by(vectors: Tensor, aims: Aims) -> Tensor:
    """(..., b) 1 - cosine between predicted and true vectors, their mean put back: 0 for the same direction."""
    cosine = functional.cosine_similarity(vectors + aims.centre, aims.vectors + aims.centre, dim=-1)
    return 1 - cosine


def _entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """Binary cross-entropy of each number, over all towers."""
    return functional.binary_cross_entropy_with_logits(logits, truth.expand_as(logits), reduction="none")
