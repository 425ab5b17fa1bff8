"""What words, sound and an artist's other recordings say about where a recording lies.

Belongs here: ridge regressions from known signals to collaborative vectors, one for each set of signals that is known.
Does not: how signals are made, how far the prediction is trusted (prior_strength.py).

A recording may lack any signal. A regression on all of them with zeros for what is missing would trust each for less
than it says alone; so each set of known signals has a regression of its own, learnt from all recordings that have at
least these.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints
from models_ml.funnel import hashes

# Times the mean squared length of a standardised row; the best on held-out artists is taken.
_RIDGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
# A regression learnt from fewer recordings than this a number it has to find says nothing.
_FEWEST_TEACHERS = 20
_TEACHERS_BLOCK = 16_384
EVERYONE = "everyone"
_ONE_IN = 5


def is_held_out(artist_ids: pa.Array) -> Bools:
    """(n,) True for one artist in five, the same every week: what is learnt about the others is judged on these."""
    return np.asarray(hashes(artist_ids) % np.uint64(_ONE_IN) == 0)


@dataclass(frozen=True)
class Signal:
    """name: what it is called.  vectors: (m, d) float32, zero where nothing is known."""

    name: str
    vectors: Floats

    @property
    def known(self) -> Bools:
        """(m,) True where there is something."""
        return np.asarray(self.vectors.any(axis=1))


@dataclass(frozen=True)
class Teachers:
    """Recordings whose collaborative vectors are well known.

    targets: (m, f) float32.  weight: (m,) float64, 0 for those that don't teach.  held_out: (m,) True for recordings
    of the artists that choose the ridge, and teach only afterwards.
    """

    targets: Floats
    weight: Floats
    held_out: Bools


def predict_vectors(signals: Sequence[Signal], teachers: Teachers, wanted: Bools, *, honest: bool) -> dict[str, Floats]:
    """What each signal adds to the predicted vector of each wanted recording: (m, f) float32 by name of the signal.

    'everyone' is what any recording gets.  wanted: (m,) whose prediction is asked for; the others get zero.
    honest: True leaves the held-out artists out of what the prediction is learnt from.
    A recording that no signal is known of, or too few teachers know the signals of, gets zero.
    """
    shape = teachers.targets.shape
    parts = {name: np.zeros(shape, dtype=np.float32) for name in (EVERYONE, *(signal.name for signal in signals))}
    for pattern, rows in _patterns(signals, wanted):
        chosen = [signals[place] for place in pattern]
        learnt = _fit(chosen, teachers, honest=honest)
        if learnt is None:
            continue
        parts[EVERYONE][rows] = learnt[0]
        start = 1
        for signal in chosen:
            width = signal.vectors.shape[1]
            parts[signal.name][rows] = signal.vectors[rows] @ learnt[start : start + width].astype(np.float32)
            start += width
    return parts


def _patterns(signals: Sequence[Signal], wanted: Bools) -> Iterator[tuple[tuple[int, ...], Ints]]:
    """(places of the known signals, rows) of each set of signals that some wanted recording has."""
    codes = np.zeros(len(wanted), dtype=np.int64)
    for place, signal in enumerate(signals):
        codes |= signal.known.astype(np.int64) << place
    for code in np.unique(codes[wanted]):
        if code:
            yield tuple(p for p in range(len(signals)) if code >> p & 1), np.flatnonzero(wanted & (codes == code))


def _fit(signals: Sequence[Signal], teachers: Teachers, *, honest: bool) -> Floats | None:
    """(1 + d, f) float64 coefficients, the constant first; None where too few teach."""
    known = np.logical_and.reduce([signal.known for signal in signals])
    teach = known & (teachers.weight > 0)
    train, judge = np.flatnonzero(teach & ~teachers.held_out), np.flatnonzero(teach & teachers.held_out)
    if len(train) < _FEWEST_TEACHERS:
        return None
    system = _System.of(signals, teachers, train)
    scores = [(_loss(system.solved(ridge), signals, teachers, judge), ridge) for ridge in _RIDGES]
    best = min(scores)[1] if len(judge) else 1.0
    return (system if honest or not len(judge) else system.plus(_System.of(signals, teachers, judge))).solved(best)


@dataclass(frozen=True)
class _System:
    """Normal equations.  gram: (1 + d, 1 + d).  sums: (1 + d, f).  Block by block, in the order of the rows."""

    gram: Floats
    sums: Floats
    total: float

    @classmethod
    def of(cls, signals: Sequence[Signal], teachers: Teachers, rows: Ints) -> "_System":
        width = 1 + sum(signal.vectors.shape[1] for signal in signals)
        gram, sums = np.zeros((width, width)), np.zeros((width, teachers.targets.shape[1]))
        for start in range(0, len(rows), _TEACHERS_BLOCK):
            block = rows[start : start + _TEACHERS_BLOCK]
            inputs = _inputs(signals, block)
            weighted = inputs * teachers.weight[block, None]
            gram += weighted.T @ inputs
            sums += weighted.T @ teachers.targets[block].astype(np.float64)
        return cls(gram, sums, float(teachers.weight[rows].sum()))

    def plus(self, other: "_System") -> "_System":
        return _System(self.gram + other.gram, self.sums + other.sums, self.total + other.total)

    def solved(self, ridge: float) -> Floats:
        """The constant is not pulled towards zero."""
        diagonal = np.diag(self.gram)
        pull = np.full(len(diagonal), ridge * float(diagonal[1:].mean()) / max(len(diagonal) - 1, 1))
        pull[0] = 0.0
        return np.asarray(np.linalg.solve(self.gram + np.diag(np.maximum(pull, 1e-9)), self.sums))


def _inputs(signals: Sequence[Signal], rows: Ints) -> Floats:
    """(r, 1 + d) float64: a constant, then the signals."""
    ones = np.ones((len(rows), 1))
    return np.concatenate([ones, *(signal.vectors[rows].astype(np.float64) for signal in signals)], axis=1)


def _loss(coefficients: Floats, signals: Sequence[Signal], teachers: Teachers, rows: Ints) -> float:
    missed = _inputs(signals, rows) @ coefficients - teachers.targets[rows]
    return float((teachers.weight[rows, None] * missed**2).sum())


def artist_signal(vectors: Floats, artist: Ints, weight: Floats) -> Signal:
    """The weighted mean vector of an artist's other recordings, the recording itself left out.

    vectors: (m, f).  artist: (m,) first credited artist.  weight: (m,) float64, 0 for vectors that say nothing.
    """
    order = np.argsort(artist, kind="stable")
    starts = np.flatnonzero(np.diff(artist[order], prepend=-1))
    own = vectors.astype(np.float64) * weight[:, None]
    if not len(starts):
        return Signal("artist", np.zeros_like(vectors))
    place = np.empty(len(artist), dtype=np.int64)
    place[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(artist)))
    others = np.add.reduceat(own[order], starts, axis=0)[place] - own
    total = np.add.reduceat(weight[order], starts)[place] - weight
    means = np.where(total[:, None] > 1e-9, others / np.maximum(total, 1e-9)[:, None], 0.0)
    return Signal("artist", means.astype(np.float32))
