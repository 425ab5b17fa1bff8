"""Tests of taste modes: how many a listener has, what their queries are, what they bring among the candidates."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from feature_worlds import random_world, table

from models_ml.arrays import place_in_row
from models_ml.candidates import CandidateParams, CandidateSources
from models_ml.collaborative import CollaborativeFactors, CollaborativeParams, fit_collaborative
from models_ml.features import Interactions, WeekFeatures, read_interactions
from models_ml.retrieval import ExactRetriever
from models_ml.rules import SOURCE_BITS
from models_ml.taste_modes import TasteModeFinder, TasteModes

KINDS, PLAIN = 3, 120
PARAMS = CandidateParams(candidate_count=30, fresh_count=0, new_release_count=0, taste_mode_minimum_liked=6)
HOW = CollaborativeParams(factors=8, regularization=0.1, regularization_scaling="constant", threads=1)


def of_kinds(*mixes: tuple[int, ...], liked: int = 8) -> tuple[Interactions, CollaborativeFactors]:
    """Listeners who like so many recordings of each kind in their mix, after many who like one kind each.

    Recording r is of kind r % 3.
    """
    random = np.random.default_rng(0)
    tastes = [*[(row % KINDS,) for row in range(PLAIN)], *mixes]
    pairs = [
        (row, int(recording))
        for row, kinds in enumerate(tastes)
        for recording in sorted(
            KINDS * place + kind for kind in kinds for place in random.choice(20, liked, replace=False)
        )
    ]
    interactions = table(
        "interactions",
        user_index=[row for row, _ in pairs],
        recording_index=[recording for _, recording in pairs],
        confidence=[4.0] * len(pairs),
        preference=[1] * len(pairs),
    )
    ids = (pa.array([f"{name}{n:03}" for n in range(count)]) for name, count in (("u", len(tastes)), ("r", 60)))
    return read_interactions(interactions, len(tastes), 60), fit_collaborative(interactions, *ids, HOW, 1)


def modes_of(interactions: Interactions, factors: CollaborativeFactors, minimum_liked: int = 6) -> TasteModes:
    finder = TasteModeFinder(factors, interactions, 4, minimum_liked, 0.1)
    return finder.of(np.arange(len(interactions.pairs.indptr) - 1))


def test_a_listener_of_several_kinds_has_a_mode_of_each():
    interactions, factors = of_kinds((0, 1), (0, 1, 2), (2,))
    modes = modes_of(interactions, factors)
    assert (modes.weight > 0).sum(axis=1)[PLAIN:].tolist() == [2, 3, 1]
    assert modes.weight[PLAIN + 1, :3] == pytest.approx(1 / 3)
    for row, kinds in ((PLAIN, {0, 1}), (PLAIN + 1, {0, 1, 2})):
        best = (modes.queries[row, : len(kinds)] @ factors.served.T).argsort(axis=1)[:, -5:]
        assert {frozenset((places % KINDS).tolist()) for places in best} == {frozenset({kind}) for kind in kinds}


def test_the_queries_of_a_listener_s_modes_add_up_to_their_vector():
    interactions, factors = of_kinds((0, 1), (0, 1, 2))
    total = modes_of(interactions, factors).queries.sum(axis=1)
    assert total == pytest.approx(factors.listener_factors, abs=1e-5)


def test_whoever_likes_too_few_has_no_modes():
    interactions, factors = of_kinds((0, 1))
    modes = modes_of(interactions, factors, minimum_liked=9)
    assert not modes.weight[:PLAIN].any()
    assert not modes.queries[:PLAIN].any()
    assert modes.weight[PLAIN].sum() == pytest.approx(1)


def test_listeners_side_by_side_have_the_modes_that_each_has_alone():
    interactions, factors = of_kinds((0, 1), (0, 1, 2), (1,))
    finder = TasteModeFinder(factors, interactions, 4, 6, 0.1)
    together = finder.of(PLAIN + np.arange(3))
    for place, row in enumerate(range(PLAIN, PLAIN + 3)):
        alone = finder.of(np.array([row]))
        assert alone.weight[0] == pytest.approx(together.weight[place])
        assert alone.queries[0] == pytest.approx(together.queries[place], abs=1e-6)


def found(share: float) -> tuple[WeekFeatures, CollaborativeFactors, dict[int, dict[int, int]]]:
    """Sources of each candidate of each listener."""
    world = random_world(3, listeners=25, recordings=200, per_listener=25, restrictions=False)
    features = world.features()
    factors = fit_collaborative(world.interactions, features.user_id, features.recordings.recording_id, HOW, 1)
    sources = CandidateSources(features, factors, replace(PARAMS, taste_mode_share=share))
    retriever = ExactRetriever(factors.served, factors.retrievable)
    pool = sources.find(retriever, np.arange(25))
    own = pool.where(pool.is_personal())
    near = (factors.listener_factors[own.rows] * factors.served[own.recordings]).sum(axis=1)
    assert own.scores == pytest.approx(near, abs=1e-5)
    assert place_in_row(own.rows).max() < PARAMS.candidate_count
    lists = {row: {} for row in range(25)}
    for row, recording, bits in zip(own.rows, own.recordings, own.sources, strict=True):
        lists[row][int(recording)] = int(bits)
    return features, factors, lists


def test_modes_take_the_place_of_the_last_candidates_and_leave_the_first():
    _, factors, plain = found(0.0)
    _, _, mixed = found(0.4)
    by_mode = SOURCE_BITS["taste_mode"]
    assert not any(bits & by_mode for of in plain.values() for bits in of.values())
    changed = [row for row in plain if plain[row].keys() != mixed[row].keys()]
    assert changed
    for row, own in plain.items():
        assert len(mixed[row]) == len(own)
        best = sorted(own, key=lambda recording, row=row: -factors.listener_factors[row] @ factors.served[recording])
        assert set(best[:18]) <= set(mixed[row])
        assert all(bits & by_mode for recording, bits in mixed[row].items() if recording not in own)
