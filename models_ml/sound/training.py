"""Training of the network that hears, on tracks whose collaborative vectors are known.

Belongs here: passes over the tracks, step size, early stopping, going on after a kill, warm starts.
Does not: targets and split (targets.py), the loss (losses.py), layers (network.py), variation (augmenting.py),
the checkpoint's file (checkpoints.py), prediction (vectors.py).

What each choice is for stands in docs/sound.md.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models_ml.arrays import Bools, Floats, Ints, Progress, ranges, silent
from models_ml.errors import InputError
from models_ml.sound.augmenting import blanks, crops, mixing
from models_ml.sound.checkpoints import Standing, fingerprint, keep, kept_before
from models_ml.sound.losses import Aims, loss_of_each, squared_error, turned_by
from models_ml.sound.model_params import SoundModelParams
from models_ml.sound.network import SHORTEST_FRAMES, Heard, NetworkShape, SoundNetwork, device_named, repeatable
from models_ml.sound.spectrograms import Bytes
from models_ml.sound.targets import Scaling, SoundTargets, evidence_weight, split_by_artist
from models_ml.sound.vectors import SoundModel, SoundQuality

__all__ = ["MelReader", "SoundModelParams", "SoundTargets", "evidence_weight", "split_by_artist", "train_sound"]

# (k, excerpts, mels, frames) uint8 levels of the k tracks asked for, by their rows among the targets.
MelReader = Callable[[Ints], Bytes]

_ROWS_AT_ONCE = 256
# Tracks the normalisation is fitted on, spread evenly over those trained on: more don't move a mean of 20 s each.
_FITTED_TRACKS = 20_000
# The step grows over this share of the passes, then falls as half a cosine wave.
_WARM_UP = 0.2
# Bands that hardly vary are not blown up: levels are thirds of a decibel.
_SMALLEST_DEVIATION = 1.0


def train_sound(
    mels: MelReader,
    targets: SoundTargets,
    params: SoundModelParams,
    seed: int,
    checkpoint: Path | None = None,
    previous: bytes | None = None,
    progress: Progress = silent,
) -> SoundModel:
    """A network that predicts the targets from sound.

    mels: gives the spectrograms of any rows of the targets.
    checkpoint: written after each pass. The same call, after a kill, goes on there and ends with the same weights; it
    stays at the end, so that a kill before the model is kept costs nothing: delete it then.
    previous: an earlier model's bytes, to start from; ignored where bands, vectors or sizes are others.
    The same arguments give the same bytes on CPUs of one kind, whatever their number.
    Raises InputError where no track has a vector with a weight, or spectrograms have another shape than they should.
    """
    device = device_named(params.device)
    with repeatable(params.threads, device), torch.random.fork_rng(_devices(device)):
        training = _Training(mels, targets, params, seed, previous, device, progress)
        training.go_on(checkpoint)
        return training.model()


class _Training:
    """One training: what is fixed before the first pass, and where it stands."""

    def __init__(
        self,
        mels: MelReader,
        targets: SoundTargets,
        params: SoundModelParams,
        seed: int,
        previous: bytes | None,
        device: torch.device,
        progress: Progress,
    ) -> None:
        self._mels, self._targets, self._params, self._seed = mels, targets, params, seed
        self._previous, self._device, self._progress = previous, device, progress
        self._learnt, self._aside = _sides(targets, params, seed)
        weight = targets.trusted[self._learnt]
        self._scaling = Scaling.fitted(targets.vectors[self._learnt], weight)
        self._aims = Aims.of(targets, self._scaling, float(weight.mean()), device)
        self._standing = Standing()
        self._network, self._warm = self._built()
        self._epochs = min(params.warm_epochs, params.epochs) if self._warm else params.epochs
        self._optimizer = torch.optim.AdamW(self._network.parameters(), weight_decay=params.weight_decay, fused=True)
        bands = self._network.mean.cpu(), self._network.deviation.cpu()
        self._name = fingerprint(targets, params, seed, bands, previous)

    def _built(self) -> tuple[SoundNetwork, bool]:
        """The network before the first pass, and whether it starts from earlier weights."""
        mean, deviation = _fitted_bands(self._mels, self._learnt)
        torch.manual_seed(_torch_seed(self._seed, 0))
        factors, genres = self._targets.vectors.shape[1], len(self._targets.genre_names)
        params = self._params
        sizes = (params.channels, params.embedding, factors, genres, params.towers, params.dropout)
        network = SoundNetwork(NetworkShape(len(mean), *sizes))
        warm = self._previous is not None and _start_from(network, self._previous, self._progress)
        network.mean.copy_(torch.from_numpy(mean)[:, None])
        network.deviation.copy_(torch.from_numpy(deviation)[:, None])
        return network.to(self._device), warm

    def go_on(self, checkpoint: Path | None) -> None:
        """Pass after pass, from the checkpoint where there is one that fits, until the last or none gets better."""
        if checkpoint is not None:
            self._restore(checkpoint)
        while self._standing.epoch < self._epochs and not self._is_stuck():
            self._pass(self._standing.epoch)
            self._standing.epoch += 1
            self._judge()
            if checkpoint is not None:
                keep(checkpoint, self._name, self._standing, self._network.state_dict(), self._optimizer.state_dict())
            self._tell()

    def _restore(self, checkpoint: Path) -> None:
        found = kept_before(checkpoint, self._name, self._progress)
        if found is not None:
            self._standing, weights, optimizer = found
            self._network.load_state_dict(weights)
            self._optimizer.load_state_dict(optimizer)
            self._progress(f"sound model: goes on after pass {self._standing.epoch}")

    def _is_stuck(self) -> bool:
        waited = self._standing.epoch - self._standing.best_epoch
        return bool(len(self._aside)) and waited >= self._params.patience_epochs

    def _pass(self, epoch: int) -> None:
        """Every track once, in an order and with a variation that depend on the seed and the number of the pass."""
        random = np.random.default_rng([self._seed, epoch])
        torch.manual_seed(_torch_seed(self._seed, epoch + 1))
        self._network.train()
        batches = _batches(random.permutation(self._learnt), self._params.batch_tracks)
        total = 0.0
        for place, rows in enumerate(batches):
            for group in self._optimizer.param_groups:
                group["lr"] = self._params.learning_rate * _step_size((epoch + place / len(batches)) / self._epochs)
            loss = self._loss(rows, random)
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self._optimizer.step()
            total += loss.item() * len(rows)
        self._standing.training_loss = total / len(self._learnt)

    def _loss(self, rows: Ints, random: np.random.Generator) -> Tensor:
        """Mean loss of a batch, varied and mixed; a mixed track's loss is that of both, by their shares."""
        params = self._params
        cut = crops(self._mels(rows), params, random)
        count, mels, frames = cut.shape
        blank, mixed = blanks(count, mels, frames, params, random), mixing(count, params.mixup, random)
        share, partner = self._tensor(mixed.share), self._tensor(mixed.partner)
        heard = self._network.normalised(self._tensor(cut))
        heard = torch.lerp(heard[partner], heard, share[:, None, None])
        blanked = heard.masked_fill(self._tensor(blank.bands)[:, :, None], 0.0)
        blanked = blanked.masked_fill(self._tensor(blank.frames)[:, None, :], 0.0)
        outcome: Heard = self._network(heard, blanked)
        first = loss_of_each(outcome, self._aims.rows(rows), params)
        second = loss_of_each(outcome, self._aims.rows(rows[mixed.partner]), params)
        return torch.lerp(second, first, share).mean()

    def _tensor(self, values: Floats | Ints | Bools) -> Tensor:
        return torch.from_numpy(values).to(self._device)

    def _judge(self) -> None:
        """Keep the weights if they are the best so far; without tracks kept aside, the last ones are."""
        standing = self._standing
        loss = self._validated()[0] if len(self._aside) else -float(standing.epoch)
        if loss < standing.best_loss:
            standing.best_loss, standing.best_epoch = loss, standing.epoch
            standing.best_weights = {name: weight.clone() for name, weight in self._network.state_dict().items()}

    def _validated(self) -> tuple[float, float, float]:
        """(loss, cosine, share explained) of the tracks kept aside, as they will be predicted: all excerpts whole."""
        self._network.eval()
        losses, squares, cosines, weights, deviations = [], [], [], [], []
        with torch.inference_mode():
            for start, stop in ranges(len(self._aside), _ROWS_AT_ONCE):
                rows = self._aside[start:stop]
                outcome, aims = self._whole(rows), self._aims.rows(rows)
                losses.append(loss_of_each(outcome, aims, self._params))
                squares.append(squared_error(outcome.vectors[0], aims))
                cosines.append(1 - turned_by(outcome.vectors[0], aims))
                deviations.append(aims.vectors.square().mean(-1))
                weights.append(aims.weight)
        weight = torch.cat(weights).double()

        def weighted(values: list[Tensor]) -> float:
            return float((torch.cat(values).double() * weight).sum()) / max(float(weight.sum()), 1e-12)

        explained = 1 - weighted(squares) / max(weighted(deviations), 1e-12)
        return float(torch.cat(losses).double().mean()), weighted(cosines), explained

    def _whole(self, rows: Ints) -> Heard:
        """What the towers together make of whole tracks, as if they were one tower."""
        blocks = self._mels(rows)
        levels = self._tensor(blocks.reshape(-1, *blocks.shape[2:]).astype(np.float32))
        heard: Heard = self._network(self._network.normalised(levels))

        def mean(values: Tensor) -> Tensor:
            return values.mean(0).reshape(*blocks.shape[:2], *values.shape[2:]).mean(1)[None]

        return Heard(mean(heard.vectors), mean(heard.genres), mean(heard.instrumental), heard.embedding)

    def _tell(self) -> None:
        standing = self._standing
        line = f"sound model: pass {standing.epoch} of at most {self._epochs}, loss {standing.training_loss:.3f}"
        aside = f", kept aside best {standing.best_loss:.3f} in pass {standing.best_epoch}" if len(self._aside) else ""
        self._progress(line + aside)

    def model(self) -> SoundModel:
        """The best weights, with what they need and how they did."""
        standing, params = self._standing, self._params
        assert standing.best_weights is not None, "a training has at least one pass"
        self._network.load_state_dict(standing.best_weights)
        found = self._validated() if len(self._aside) else (math.nan, math.nan, math.nan)
        counts = len(self._learnt), len(self._aside)
        passes = standing.epoch, standing.best_epoch, self._warm
        quality = SoundQuality(*passes, *counts, standing.training_loss, *found)
        scaling, names = self._scaling, self._targets.genre_names
        network = self._network.eval()
        return SoundModel(network, scaling.mean, scaling.scale, names, quality, params.threads, params.device)


def _sides(targets: SoundTargets, params: SoundModelParams, seed: int) -> tuple[Ints, Ints]:
    """Rows trained on and rows kept aside; none is kept aside where nothing with a vector would be left to train on."""
    aside = targets.aside
    if aside is None:
        aside = split_by_artist(targets.artist, params.validation_share, seed)
    trusted = targets.trusted > 0
    if not (trusted & ~aside).any() or not (trusted & aside).any():
        aside = np.zeros(len(aside), dtype=bool)
    return np.flatnonzero(~aside), np.flatnonzero(aside)


def _fitted_bands(mels: MelReader, rows: Ints) -> tuple[Floats, Floats]:
    """(mels,) float32 mean and deviation of each band over the rows; whole numbers are summed, so exactly."""
    step = -(-len(rows) // _FITTED_TRACKS)
    rows, sums, squares, count = rows[::step], np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), 0
    for start, stop in ranges(len(rows), _ROWS_AT_ONCE):
        block = mels(rows[start:stop])
        _check(block, stop - start)
        if not count:
            sums, squares = np.zeros((2, block.shape[2]), dtype=np.int64)
        sums += block.sum(axis=(0, 1, 3), dtype=np.int64)
        squares += np.square(block, dtype=np.uint32).sum(axis=(0, 1, 3), dtype=np.int64)
        count += block.shape[0] * block.shape[1] * block.shape[3]
    mean = sums / count
    deviation = np.sqrt(np.maximum(squares / count - np.square(mean), 0.0))
    return mean.astype(np.float32), np.maximum(deviation, _SMALLEST_DEVIATION).astype(np.float32)


def _check(block: Bytes, count: int) -> None:
    """InputError unless the block holds so many spectrograms that can be learnt from."""
    if block.dtype != np.uint8 or block.ndim != 4 or len(block) != count or not block.shape[1]:
        raise InputError(
            f"sound model: {count} rows gave {block.dtype} of shape {block.shape}; uint8 of 4 axes is wanted"
        )
    if block.shape[3] < SHORTEST_FRAMES:
        raise InputError(f"sound model: excerpts have {block.shape[3]} frames; {SHORTEST_FRAMES} are the least")


def _start_from(network: SoundNetwork, previous: bytes, progress: Progress) -> bool:
    """Take the weights of an earlier model; False, and said, where it has other sizes."""
    earlier = SoundModel.from_bytes(previous, "previous sound model").network
    if replace(earlier.shape, dropout=network.shape.dropout) != network.shape:
        progress("sound model: last week's network has other sizes; training starts from random weights")
        return False
    network.load_state_dict(earlier.state_dict())
    return True


def _batches(rows: Ints, size: int) -> list[Ints]:
    """The rows in batches as equal as they can be, none above the size: no pass ends with a batch of one or two."""
    return np.array_split(rows, -(-len(rows) // size))


def _step_size(done: float) -> float:
    """Share of the largest step after this share of all passes."""
    if done < _WARM_UP:
        return max(done / _WARM_UP, 0.04)
    return 0.5 + 0.5 * math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))


def _torch_seed(seed: int, epoch: int) -> int:
    """63 bits for torch's own generator, which draws start weights (0) and what is dropped in each pass (1, 2, ...)."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _devices(device: torch.device) -> list[int]:
    """GPUs whose random state is put back afterwards."""
    return [] if device.type == "cpu" else [torch.cuda.current_device()]
