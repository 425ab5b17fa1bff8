"""One setting on one held-out week: factors, candidates, order, and how much of the truth the first thirty hold.

Belongs here: these stages, each with only the parameters it depends on, so that what is known already is kept.
Does not: caps, soft rules, explanations (playlists.py), keeping anything.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from models_ml.arrays import Floats, Ints, ranges
from models_ml.candidates import CandidateParams, CandidateSources, passing
from models_ml.collaborative import CollaborativeFactors, CollaborativeParams, fit_collaborative
from models_ml.evaluation.metrics import NDCG, RECALL, list_metrics
from models_ml.evaluation.tables import NOT_LISTED
from models_ml.features import WeekFeatures
from models_ml.pools import Pool
from models_ml.ranking import RankingParams, score
from models_ml.serving import ServingParams, pull_left, serving_vectors
from models_ml.slates import best_first_grid
from models_ml.tuning.holdout import HeldOutTruth

LIST_LENGTH: Final = 30


@dataclass(frozen=True)
class HeldOut:
    """A week that settings are scored on, what it knows and what its lists are asked for."""

    features: WeekFeatures
    interactions: pa.Table
    truth: HeldOutTruth
    seed: int


@dataclass(frozen=True)
class Candidates:
    """What a block of the scored listeners could be given.

    listeners: (b,) positions; pool.rows: places in it.  reach: (n,) of the factors that found it.
    """

    listeners: Ints
    pool: Pool
    reach: Floats


def train(held: HeldOut, params: CollaborativeParams) -> CollaborativeFactors:
    """Factors of the week, from nothing."""
    features = held.features
    ids = features.user_id, features.recordings.recording_id
    return fit_collaborative(held.interactions, *ids, params, held.seed)


def serve(held: HeldOut, factors: CollaborativeFactors, params: ServingParams) -> CollaborativeFactors:
    """The factors with the vectors that are searched."""
    features, recordings = held.features, held.features.recordings
    served = serving_vectors(
        factors.recording_factors,
        features.artist_of_recording,
        recordings.listener_count,
        recordings.idle_days,
        params,
    )
    return replace(factors, served_factors=served)


def find(held: HeldOut, factors: CollaborativeFactors, params: CandidateParams) -> list[Candidates]:
    """Candidates of the scored listeners that pass every filter, by exact search, block by block."""
    sources = CandidateSources(held.features, factors, params)
    listeners = held.truth.listeners
    blocks = [listeners[start:stop] for start, stop in ranges(len(listeners), params.block_listeners)]
    reach = factors.reach
    return [Candidates(block, passing(sources, sources.exact, block), reach) for block in blocks]


def rank(held: HeldOut, found: list[Candidates], ranking: RankingParams, serving: ServingParams) -> Ints:
    """(b, 30) recordings of each scored listener, best first, before any cap or soft rule; NOT_LISTED after."""
    pull = pull_left(held.features.recordings.idle_days, serving)
    blocks = [_ranked(held.features, candidates, ranking, pull) for candidates in found]
    return np.concatenate([np.empty((0, LIST_LENGTH), dtype=np.int64), *blocks])


def measure(held: HeldOut, lists: Ints) -> tuple[Floats, Floats]:
    """(nDCG, recall) at 30 of each scored listener."""
    no_popularity = np.zeros(held.features.recording_count)
    metrics = list_metrics(lists, held.truth.pairs, LIST_LENGTH, no_popularity)
    return metrics[NDCG], metrics[RECALL]


def _ranked(features: WeekFeatures, found: Candidates, params: RankingParams, pull: Floats) -> Ints:
    pool, count = found.pool, len(found.listeners)
    lists = np.full((count, LIST_LENGTH), NOT_LISTED, dtype=np.int64)
    if not len(pool):
        return lists
    owners, personal = found.listeners[pool.rows], pool.is_personal()
    final = score(features, owners, pool.recordings, pool.scores, personal, params, pull, found.reach).final
    grid, valid = best_first_grid(pool, final, personal, count)
    width = min(LIST_LENGTH, grid.shape[1])
    lists[:, :width] = np.where(valid[:, :width], pool.recordings[grid[:, :width]], NOT_LISTED)
    return lists
