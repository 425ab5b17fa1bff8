"""Reliability: how far foretold chances are from what was seen.

Belongs here: bins of equal weight, the expected calibration error. Does not: calibrating (training.py), drawing.
"""

import numpy as np

from models_ml.arrays import Bools, Floats

BINS = 10


def reliability_bins(predicted: Floats, seen: Bools, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """(mean foretold, share seen, share of all rows) of bins that weigh alike, lowest chances first, none empty."""
    order = np.argsort(predicted, kind="stable")
    reached = np.cumsum(weight[order])
    total = reached[-1] if len(reached) else 1.0
    place = np.minimum((BINS * (reached - 0.5 * weight[order]) / total).astype(np.int64), BINS - 1)
    heavy = np.bincount(place, weight[order], BINS)
    sums = [np.bincount(place, weight[order] * of[order], BINS) for of in (predicted, seen.astype(np.float64))]
    filled = heavy > 0
    foretold, found = (each[filled] / heavy[filled] for each in sums)
    return foretold, found, heavy[filled] / total


def expected_calibration_error(predicted: Floats, seen: Bools, weight: Floats) -> float:
    """Mean distance of foretold and seen over the bins, by weight (Naeini, Cooper and Hauskrecht 2015)."""
    foretold, found, share = reliability_bins(predicted, seen, weight)
    return float(np.sum(share * np.abs(foretold - found)))
