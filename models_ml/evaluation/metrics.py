"""Ranking metrics: per listener first, then the mean; over all recordings, without sampled negatives.

Belongs here: the value of each metric for each listener, the best value a list could reach, exposure over recordings.
Does not: what is told of a list without knowing what its listener did (beyond_accuracy.py), intervals (bootstrap.py),
who is counted (segments.py), where lists and truth come from (tables.py).

average_precision is that of trec_eval (map_cut): the precision at each hit among the first k, summed, over all of the
listener's truth, not over k; its mean over listeners is MAP@k.
serendipity is the share of the k places that hold a hit which the most popular list of the same length lacks.

Sources: Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002 (nDCG); Ge,
Delgado-Battenfeld and Jannach, "Beyond Accuracy", RecSys 2010 (serendipity: what a primitive list would not have held,
and is useful; over k as precision is, so that one lucky hit is not everything); Krichene and Rendle, "On Sampled
Metrics for Item Recommendation", KDD 2020 (why nothing is sampled).
"""

from typing import Final

import numpy as np

from models_ml.arrays import Bools, Floats, Ints, Pairs, ranges
from models_ml.errors import InputError

RECALL: Final = "recall"
NDCG: Final = "ndcg"
HIT_RATE: Final = "hit_rate"
AVERAGE_PRECISION: Final = "average_precision"
SERENDIPITY: Final = "serendipity"
NOVELTY: Final = "novelty"
COVERAGE: Final = "coverage"
GINI: Final = "gini"
TRUTH_METRICS: Final = (RECALL, "capped_recall", "precision", NDCG, HIT_RATE, "reciprocal_rank", AVERAGE_PRECISION)
LIST_METRICS: Final = (*TRUTH_METRICS, NOVELTY)

_BLOCK_LISTENERS = 1 << 16


def list_metrics(ranked: Ints, truth: Pairs, k: int, log_popularity: Floats) -> dict[str, Floats]:
    """Every metric of LIST_METRICS at k, for each listener.

    ranked: (n, L) recordings best first, none twice in a row; -1 for no recording, lower for one that is not in the
    catalogue, which takes its place and misses.
    truth: n owners to recordings.  Those at or above m, the number of recordings, are in nobody's reach.
    log_popularity: (m,) log2 of the share of listeners who have heard each recording, see `log_shares`.
    Returns (n,) float64 each, NaN for listeners without truth; novelty is there without truth too, and NaN for lists
    without a known recording.
    Raises InputError where k is below 1, the rows of ranked and truth differ, or a recording is out of range.
    """
    hits = hits_of(ranked[:, :k], truth, len(log_popularity))
    return {**metrics_of_hits(hits, np.diff(truth.indptr), k), NOVELTY: novelty(ranked[:, :k], log_popularity)}


def hits_of(ranked: Ints, truth: Pairs, recording_count: int) -> Bools:
    """(n, L) True where the recording is in its listener's truth.

    Raises InputError where the rows of ranked and truth differ, or a recording is out of range.
    """
    _check(ranked, truth, recording_count)
    hits = np.zeros(ranked.shape, dtype=bool)
    for start, stop in ranges(len(ranked), _BLOCK_LISTENERS):
        owners = np.repeat(np.arange(start, stop), ranked.shape[1])
        found = truth.find(owners, ranked[start:stop].ravel())
        hits[start:stop] = found.reshape(stop - start, ranked.shape[1]) >= 0
    return hits


def metrics_of_hits(hits: Bools, sizes: Ints, k: int) -> dict[str, Floats]:
    """Every metric of TRUTH_METRICS at k, (n,) float64 each, NaN for listeners without truth.

    hits: (n, L) whether each place of a list is in its listener's truth.  sizes: (n,) recordings in the truth.
    Raises InputError where k is below 1.
    """
    if k < 1:
        raise InputError(f"metrics: k is {k}; it must be 1 or more")
    first = hits[:, :k]
    gain = (first * _discounts(first.shape[1])).sum(axis=1)
    rank = np.arange(1, first.shape[1] + 1)
    reciprocal = np.where(sizes > 0, (first / rank).max(axis=1, initial=0.0), np.nan)
    precisions = (first * (np.cumsum(first, axis=1) / rank)).sum(axis=1)
    return _truth_metrics(first.sum(axis=1), gain, reciprocal, precisions, sizes, k)


def serendipity(hits: Bools, ranked: Ints, expected: Ints, sizes: Ints, k: int) -> Floats:
    """(n,) share of the k places with a hit that the expected list has not among its own first k; NaN without truth.

    hits, ranked: (n, L).  expected: (n, L') the most popular recordings each listener might have been given.
    """
    row, place = np.nonzero(hits[:, :k])
    surprising = (expected[row, :k] != ranked[row, place][:, None]).all(axis=1)
    return _ratio(np.bincount(row[surprising], minlength=len(hits)), np.minimum(sizes, 1) * k)


def best_metrics(truth_sizes: Ints, reachable_sizes: Ints, k: int) -> dict[str, Floats]:
    """What a list of all reachable truth, at its top, would get at k; metrics without such a bound are left out.

    truth_sizes: (n,) recordings in each listener's truth.  reachable_sizes: (n,) those of them in the catalogue.
    """
    found = np.minimum(reachable_sizes, k)
    anything = np.where(truth_sizes > 0, (found > 0).astype(np.float64), np.nan)
    # With all that is found at the top, the precision at each hit is 1.
    return _truth_metrics(found, _ideal_gain(k)[found], anything, found, truth_sizes, k)


def catalogue_metrics(ranked: Ints, k: int, recording_count: int) -> dict[str, float]:
    """How exposure in the top k is spread over the recordings.

    coverage: share of recordings that are listed at all.  gini: Gini coefficient of how often each is listed, 0 where
    all are listed equally often, 1 - 1 / m where one is listed alone.  NaN without recordings, gini without lists too.
    """
    listed = ranked[:, :k]
    exposure = np.sort(np.bincount(listed[listed >= 0], minlength=recording_count))
    total = int(exposure.sum())
    coverage = np.count_nonzero(exposure) / recording_count if recording_count else float("nan")
    if not total:
        return {COVERAGE: coverage, GINI: float("nan")}
    weighted = float((np.arange(1, recording_count + 1, dtype=np.float64) * exposure).sum())
    return {COVERAGE: coverage, GINI: (2.0 * weighted / total - (recording_count + 1)) / recording_count}


def log_shares(heard_counts: Ints, listener_count: int) -> Floats:
    """(m,) log2 of the share of listeners who have heard each recording; of one that nobody has, as if one had."""
    return np.asarray(np.log2(np.maximum(heard_counts, 1) / max(listener_count, 1)))


def novelty(listed: Ints, log_popularity: Floats) -> Floats:
    """(n,) mean surprise, in bits, of the known recordings of each list; NaN without any."""
    known = listed >= 0
    padded = np.append(log_popularity, 0.0)
    surprise = -padded[np.where(known, listed, len(log_popularity))]
    return _ratio(surprise.sum(axis=1), known.sum(axis=1))


def _check(ranked: Ints, truth: Pairs, recording_count: int) -> None:
    if len(truth.indptr) != len(ranked) + 1:
        owners = len(truth.indptr) - 1
        raise InputError(f"metrics: {len(ranked)} lists and the truth of {owners} listeners; give one list each")
    highest = int(ranked.max(initial=-1))
    if highest >= min(recording_count, truth.width):
        known = min(recording_count, truth.width)
        raise InputError(f"metrics: a list holds recording {highest}; those known are 0 to {known - 1}")


def _truth_metrics(
    found: Ints, gain: Floats, reciprocal: Floats, precisions: Ints | Floats, sizes: Ints, k: int
) -> dict[str, Floats]:
    """The metrics that need truth, from hits, discounted gain, reciprocal rank and sum of precisions at the hits."""
    has_truth = np.minimum(sizes, 1)
    return {
        RECALL: _ratio(found, sizes),
        "capped_recall": _ratio(found, np.minimum(sizes, k)),
        "precision": _ratio(found, has_truth * k),
        NDCG: _ratio(gain, _ideal_gain(k)[np.minimum(sizes, k)]),
        HIT_RATE: _ratio(np.minimum(found, 1), has_truth),
        "reciprocal_rank": reciprocal,
        AVERAGE_PRECISION: _ratio(precisions, sizes),
    }


def _ratio(numerator: Ints | Floats, denominator: Ints | Floats) -> Floats:
    """The quotient, NaN where the denominator is 0."""
    quotient = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def _discounts(length: int) -> Floats:
    """(length,) gain of a hit at rank 1, 2, ...: 1 / log2(rank + 1)."""
    return np.asarray(1.0 / np.log2(np.arange(2, length + 2)))


def _ideal_gain(k: int) -> Floats:
    """(k + 1,) discounted gain of 0, 1, ..., k hits at the top."""
    return np.concatenate([[0.0], np.cumsum(_discounts(k))])
