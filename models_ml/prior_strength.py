"""How far a prediction is trusted against so much listening, learnt from recordings whose listening is taken away.

Belongs here: thinning, the search for strength and exposure, the scale that makes scores comparable.
Does not: the prediction (content_prediction.py), the solve (linear_solves.py).

Recordings of artists that the prediction was not learnt from, and that many like, are thinned to 0, 1, 3, 10 and 30
listeners. Their fused vector v is compared with the collaborative vector w of all their listening by how far the
scores of all listeners are apart, |U v - U w|^2 = (v - w)t UtU (v - w). Taken are strength and exposure with the least
error, and the factor that least squares puts before v: without it predictions, which are shorter than what they
predict, would lose every comparison.

Recordings that many like were chosen because of that, and most new ones will never be liked as much. So the factor is
multiplied by how much shorter, in the same measure, the vectors of recordings are that have been out for some months
and that at least so many like, those that nobody likes included.
"""

from dataclasses import dataclass, replace

import numpy as np

from models_ml.arrays import Bools, Floats, Ints, Pairs
from models_ml.features import Interactions
from models_ml.linear_solves import solve_with_priors

LEVELS = (0, 1, 3, 10, 30)
# Times the fit's own regularization.
_STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_EXPOSURES = (0.01, 0.03, 0.1, 0.3, 1.0)
# Enough for the error to be known to a few percent, few enough to be quick.
_MOST_THINNED = 300
_FEWEST_THINNED = 10
# Fewer don't say where a recording lies.
_FEWEST_LISTENERS = 20
# What is taken away has to be most of it, or there is nothing to compare with.
_FULL_TO_THIN = 3


@dataclass(frozen=True)
class PriorStrength:
    """At so many listeners: lambda, e (see fusion.py), the scale of scores, and the errors behind them.

    error: share of the squared scores that the fused vector misses.  error_without: the same by listening alone.
    recordings: how many were thinned; 0 where too few could be, and nothing is placed by a prediction.
    """

    listeners: int
    strength: float
    exposure: float
    scale: float
    error: float
    error_without: float
    recordings: int


def default_strengths(regularization: float) -> tuple[PriorStrength, ...]:
    """What holds where nothing can be learnt: nothing is placed by a prediction."""
    missing = float("nan")
    return tuple(PriorStrength(n, regularization, 1.0, 0.0, missing, missing, 0) for n in LEVELS)


def learn_strengths(
    by_recording: Interactions,
    liked: Ints,
    listener_factors: Floats,
    gram: Floats,
    targets: Floats,
    predicted: Floats,
    eligible: Bools,
    grown_up: Bools,
    regularization: float,
    seed: int,
) -> tuple[PriorStrength, ...]:
    """One for each of LEVELS.

    by_recording: who likes and dislikes each recording, transposed (owners are recordings).  liked: (m,) how many do.
    gram: (f, f) products of the listeners' vectors, summed.
    predicted: (m, f) honest predictions.  eligible: (m,) True for recordings of held-out artists with a prediction.
    grown_up: (m,) True for recordings that were new some months ago.
    """
    learnt = []
    for fallback in default_strengths(regularization):
        rows = _chosen(liked, eligible, fallback.listeners, seed)
        if len(rows) < _FEWEST_THINNED:
            learnt.append(fallback)
            continue
        task = _Task(
            thinned(by_recording, rows, fallback.listeners, seed),
            listener_factors,
            targets[rows],
            predicted[rows],
            gram,
        )
        best = task.best(fallback.listeners, regularization)
        like_it = grown_up & (liked >= fallback.listeners)
        shorter = _length(targets[like_it], gram) / max(_length(targets[rows], gram), 1e-12) if like_it.any() else 1.0
        learnt.append(replace(best, scale=best.scale * min(1.0, shorter)))
    return tuple(learnt)


def _length(vectors: Floats, gram: Floats) -> float:
    """Root of the mean squared score; 0 of none."""
    squares = np.einsum("nf,nf->n", vectors @ gram, vectors, dtype=np.float64)
    return float(np.sqrt(squares.mean())) if len(squares) else 0.0


def _chosen(liked: Ints, eligible: Bools, listeners: int, seed: int) -> Ints:
    """Recordings to thin to so many listeners, ascending."""
    rows = np.flatnonzero(eligible & (liked >= max(_FULL_TO_THIN * listeners, _FEWEST_LISTENERS)))
    if len(rows) <= _MOST_THINNED:
        return rows
    return np.sort(np.random.default_rng([seed, listeners]).choice(rows, _MOST_THINNED, replace=False))


def liked_counts(by_owner: Interactions) -> Ints:
    """(owners,) how many positive pairs each has."""
    ends = np.concatenate([[0], np.cumsum(by_owner.preference > 0)])
    return np.diff(ends[by_owner.pairs.indptr])


def thinned(by_recording: Interactions, rows: Ints, listeners: int, seed: int) -> Interactions:
    """Of each of the rows, so many of those who like it, drawn at random; owners are 0, 1, ... in their order."""
    random = np.random.default_rng([seed, listeners, 1])
    row, position = by_recording.pairs.positions(rows)
    liked = by_recording.preference[position] > 0
    row, position = row[liked], position[liked]
    order = np.lexsort((random.random(len(row)), row))
    starts = np.searchsorted(row, np.arange(len(rows)))
    kept = np.sort(order[(np.arange(len(row)) - np.repeat(starts, np.bincount(row, minlength=len(rows)))) < listeners])
    position, row = position[kept], row[kept]
    indptr = np.searchsorted(row, np.arange(len(rows) + 1)).astype(np.int64)
    pairs = Pairs(indptr, by_recording.pairs.values[position], by_recording.pairs.width)
    return Interactions(pairs, by_recording.confidence[position], by_recording.preference[position])


@dataclass(frozen=True)
class _Task:
    """Thinned recordings, and what they should come out as."""

    listening: Interactions
    listener_factors: Floats
    targets: Floats
    predicted: Floats
    gram: Floats

    def best(self, listeners: int, regularization: float) -> PriorStrength:
        """The strength and exposure with the least error."""
        if not listeners:  # nothing to weigh the prediction against
            error, scale = self._error(self.predicted)
            return PriorStrength(0, regularization, 0.0, scale, error, 1.0, len(self.targets))
        tried = []
        for exposure in _EXPOSURES:
            for strength in _STRENGTHS:
                solved = self._solved(self.predicted, strength * regularization, exposure)
                tried.append((*self._error(solved), strength * regularization, exposure))
        without = min(
            self._error(self._solved(np.zeros_like(self.predicted), strength * regularization, exposure))[0]
            for exposure in _EXPOSURES
            for strength in _STRENGTHS
        )
        error, scale, strength, exposure = min(tried)
        return PriorStrength(listeners, strength, exposure, scale, error, without, len(self.targets))

    def _solved(self, prior: Floats, strength: float, exposure: float) -> Floats:
        parts = solve_with_priors(self.listening, self.listener_factors, self.gram, [prior], strength, exposure)
        return np.asarray(parts.sum(axis=0))

    def _error(self, vectors: Floats) -> tuple[float, float]:
        """(share of the squared scores missed after the best scaling, that scale)."""
        wanted = self.targets.astype(np.float64) @ self.gram
        found = vectors.astype(np.float64) @ self.gram
        both = float((vectors * wanted).sum())
        own, all_of_it = float((vectors * found).sum()), float((self.targets * wanted).sum())
        scale = max(both / own, 0.0) if own > 0 else 0.0
        return 1.0 - scale * (2 * both - scale * own) / max(all_of_it, 1e-30), scale
