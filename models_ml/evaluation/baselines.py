"""Baselines: the lists that simple methods of the literature would have given the same listeners.

Belongs here: the parameters, the popularity baselines, one round over blocks of listeners for all of them.
Does not: the methods that learn from pairs of recordings (item_models.py), the filters (eligibility.py), metrics.

Every baseline ranks all recordings and passes the same hard filters as our own lists, without soft rules; of what is
one in sound it lists the best.  It lists only what it has some evidence for: a list may be shorter than k.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np
import scipy.sparse

from models_ml.arrays import Bools, Ints, Progress, ranges, silent
from models_ml.eligibility import forbidden
from models_ml.errors import InputError
from models_ml.evaluation.item_models import ItemModel, fit_ease, fit_item_knn
from models_ml.features import WeekFeatures
from models_ml.near_duplicates import repeated_sounds

MOST_POPULAR: Final = "most_popular"
RECENTLY_POPULAR: Final = "recently_popular"
ITEM_KNN: Final = "item_knn"
EASE: Final = "ease"
BASELINES: Final = (MOST_POPULAR, RECENTLY_POPULAR, ITEM_KNN, EASE)

# Listeners times recordings looked at together: 8 MB of mask, at most 250 MB of scores.
_BLOCK_CELLS = 1 << 23
_FEWEST_LISTENERS = 64
_WINDOW = 512


@dataclass(frozen=True)
class BaselineParams:
    """How the baselines are fitted."""

    knn_neighbours: int = field(
        default=100,
        metadata={"unit": "recordings", "min": 1, "max": 10_000, "doc": "item_knn: neighbours kept, a recording."},
    )
    knn_k1: float = field(
        default=1.2,
        metadata={"unit": "ratio", "min": 0.0, "max": 1000.0, "doc": "item_knn: how late BM25 saturates."},
    )
    knn_b: float = field(
        default=0.75,
        metadata={"unit": "share", "min": 0.0, "max": 1.0, "doc": "item_knn: how much BM25 discounts the popular."},
    )
    ease_lambda: float = field(
        default=250.0,
        metadata={"unit": "listeners", "min": 1e-3, "max": 1e6, "doc": "ease: pull of all weights towards zero."},
    )
    ease_max_recordings: int = field(
        # Time grows with the cube, memory with the square: 6,000 take 10 s to fit, on one core, and 450 MB.
        default=6000,
        metadata={
            "unit": "recordings",
            "min": 0,
            "max": 50_000,
            "doc": "ease: left out where somebody likes more than so many.",
        },
    )


@dataclass(frozen=True)
class PopularOrder:
    """The recordings that count for something, most popular first, ties by position; (r,) int64."""

    order: Ints

    @classmethod
    def of(cls, counts: Ints) -> "PopularOrder":
        """counts: (m,) listeners of each recording; those at 0 are left out."""
        order = np.argsort(-counts, kind="stable")
        return cls(order[counts[order] > 0])

    def best(self, taken_out: Bools, k: int) -> Ints:
        """(b, k) the first k of each row that are not taken out; taken_out: (b, m)."""
        lists = np.full((len(taken_out), k), -1, dtype=np.int32)
        filled = np.zeros(len(taken_out), dtype=np.int64)
        for start, stop in ranges(len(self.order), _WINDOW):
            short = np.flatnonzero(filled < k)
            if not len(short):
                break
            window = self.order[start:stop]
            passing = ~taken_out[np.ix_(short, window)]
            place = filled[short, None] + np.cumsum(passing, axis=1) - 1
            rows, columns = np.nonzero(passing & (place < k))
            lists[short[rows], place[rows, columns]] = window[columns]
            filled[short] += passing.sum(axis=1)
        return lists


def baseline_lists(
    features: WeekFeatures, listeners: Ints, k: int, params: BaselineParams, progress: Progress = silent
) -> dict[str, Ints]:
    """The best k recordings of each listener by each baseline, best first, ties by position.

    listeners: (b,) positions in features.user_id.
    What is one in sound is as features.sound_of has it, None: nothing.
    Returns (b, k) int32 each, -1 where there are no more; ease is left out above ease_max_recordings.
    Raises InputError where k is below 1 or a listener is out of range.
    """
    if k < 1:
        raise InputError(f"baselines: k is {k}; it must be 1 or more")
    wrong = np.flatnonzero((listeners < 0) | (listeners >= features.listener_count))
    if len(wrong):
        known = features.listener_count - 1
        raise InputError(f"baselines: listener {listeners[wrong[0]]} in place {wrong[0]}; those known are 0 to {known}")
    liked = liked_matrix(features)
    orders = _popular_orders(features, liked)
    models = _item_models(liked, params, progress)
    lists: dict[str, Ints] = {name: np.full((len(listeners), k), -1, dtype=np.int32) for name in (*orders, *models)}
    size = max(_FEWEST_LISTENERS, _BLOCK_CELLS // max(1, features.recording_count))
    for start, stop in ranges(len(listeners), size):
        block = listeners[start:stop]
        taken_out = forbidden(features, block)
        for name, order in orders.items():
            lists[name][start:stop] = _once_in_sound(partial(_popular, order, k), taken_out, features.sound_of)
        for name, model in models.items():
            best = partial(_personal, model, liked[block], k)
            lists[name][start:stop] = _once_in_sound(best, taken_out, features.sound_of)
        progress(f"baselines: {stop:,} of {len(listeners):,} listeners")
    return lists


def _popular(order: PopularOrder, k: int, _: Ints, taken_out: Bools) -> Ints:
    return order.best(taken_out, k)


def _personal(model: ItemModel, liked: scipy.sparse.csr_matrix, k: int, rows: Ints, taken_out: Bools) -> Ints:
    return model.best(liked[rows], taken_out, k)


def _once_in_sound(best: Callable[[Ints, Bools], Ints], taken_out: Bools, sound_of: Ints | None) -> Ints:
    """(b, k) the best of each row, of several that are one in sound the best alone.

    best: (r, k) lists of some of the rows under their taken_out, (r, m).
    """
    rows = np.arange(len(taken_out))
    lists = best(rows, taken_out)
    if sound_of is None:
        return lists
    taken_out = taken_out.copy()
    while (worse := repeated_sounds(lists[rows], sound_of)).any():
        row, place = np.nonzero(worse)
        taken_out[rows[row], lists[rows[row], place]] = True
        rows = rows[worse.any(axis=1)]
        lists[rows] = best(rows, taken_out[rows])
    return lists


def liked_matrix(features: WeekFeatures) -> scipy.sparse.csr_matrix:
    """(n, m) confidence of each recording that a listener likes, nothing elsewhere."""
    observed = features.interactions
    pairs, chosen = observed.pairs, observed.preference > 0
    before = np.concatenate([[0], np.cumsum(chosen)])
    shape = (features.listener_count, features.recording_count)
    compressed = (observed.confidence[chosen], pairs.values[chosen], before[pairs.indptr])
    return scipy.sparse.csr_matrix(compressed, shape=shape)


def _popular_orders(features: WeekFeatures, liked: scipy.sparse.csr_matrix) -> dict[str, PopularOrder]:
    """The two popularity baselines."""
    ever = np.bincount(liked.indices, minlength=features.recording_count)
    recent = features.recordings.recent_listener_count
    return {MOST_POPULAR: PopularOrder.of(ever), RECENTLY_POPULAR: PopularOrder.of(recent)}


def _item_models(liked: scipy.sparse.csr_matrix, params: BaselineParams, progress: Progress) -> Mapping[str, ItemModel]:
    """The baselines that learn which recordings go together."""
    progress("baselines: item_knn")
    knn = fit_item_knn(liked, params.knn_neighbours, params.knn_k1, params.knn_b)
    models: dict[str, ItemModel] = {ITEM_KNN: knn}
    if np.count_nonzero(np.bincount(liked.indices)) <= params.ease_max_recordings:
        progress("baselines: ease")
        models[EASE] = fit_ease(liked, params.ease_lambda)
    return models
