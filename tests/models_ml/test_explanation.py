"""Tests of the decomposition of scores, of anchors and of reason codes."""

from dataclasses import fields

import implicit.cpu.als
import numpy as np
import pytest
import scipy.sparse
import threadpoolctl
from feature_worlds import random_world, table

from models_ml.collaborative import CollaborativeParams, fit_collaborative
from models_ml.evidence import ContentEvidence
from models_ml.explanation import Explainer, reason_codes
from models_ml.ranking import Components
from models_ml.rules import COLLABORATIVE_RUNG, CONTENT_RUNG, SEGMENT_RUNG

FACTORS = CollaborativeParams(
    factors=12, regularization=0.3, regularization_scaling="constant", iterations=8, threads=1
)


def explained(listeners=60, recordings=90, seed=2):
    """(world, features, factors, explainer)."""
    world = random_world(seed, listeners, recordings)
    features = world.features()
    ids = features.user_id, features.recordings.recording_id
    factors = fit_collaborative(world.interactions, *ids, FACTORS, 1)
    return world, features, factors, Explainer(factors, features.interactions, threads=2)


def test_contributions_add_up_to_the_score():
    _, _, factors, explainer = explained()
    recordings = np.random.default_rng(0).integers(0, 90, (60, 30))
    sums = np.zeros((60, 30))
    for part in explainer.contributions(np.arange(60), recordings):
        sums[part.rows] = part.values.sum(axis=1)
    scores = np.einsum("bf,bsf->bs", factors.listener_factors, factors.recording_factors[recordings])
    assert np.abs(sums - scores).max() < 1e-6


def test_contributions_agree_with_implicit():
    world, _, factors, explainer = explained()
    signed = world.interactions.column("confidence").to_numpy() * world.interactions.column("preference").to_numpy()
    cells = [world.interactions.column(name).to_numpy() for name in ("user_index", "recording_index")]
    matrix = scipy.sparse.csr_matrix((signed, cells), shape=(60, 90))
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        model = implicit.cpu.als.AlternatingLeastSquares(factors=12, regularization=FACTORS.regularization)
    model.user_factors, model.item_factors = factors.listener_factors, factors.recording_factors
    anchors = explainer.anchors(np.arange(60), np.tile([3, 50], (60, 1)))
    for part in explainer.contributions(np.arange(60), np.tile([3, 50], (60, 1))):
        for row, listener in enumerate(part.rows[:5]):
            for column, recording in enumerate((3, 50)):
                _, theirs, _ = model.explain(listener, matrix, recording, N=1000)
                ours = dict(zip(part.history[row], part.values[row, :, column], strict=True))
                assert [ours[heard] for heard, _ in theirs] == pytest.approx([value for _, value in theirs], abs=1e-4)
                best = theirs[0][0] if theirs[0][1] > 0 else -1
                assert anchors.recording[listener, column] == best


def test_the_anchor_of_a_recording_is_one_the_listener_liked():
    _, features, _, explainer = explained()
    anchors = explainer.anchors(np.arange(60), np.tile(np.arange(30), (60, 1)))
    rows, columns = np.nonzero(anchors.recording >= 0)
    place = features.interactions.pairs.find(rows, anchors.recording[rows, columns])
    assert len(rows) > 0
    assert (place >= 0).all()
    assert (features.interactions.preference[place] > 0).all()
    assert ((anchors.share >= 0) & (anchors.share <= 1)).all()


def test_one_liked_recording_explains_everything():
    interactions = table(
        "interactions", user_index=[0, 1, 1], recording_index=[0, 0, 1], confidence=[2.0] * 3, preference=[1] * 3
    )
    features = random_world(1, listeners=2, recordings=3).replaced(interactions=interactions).features()
    ids = features.user_id, features.recordings.recording_id
    factors = fit_collaborative(
        interactions,
        *ids,
        CollaborativeParams(factors=2, regularization=0.1, regularization_scaling="constant", threads=1),
        1,
    )
    anchors = Explainer(factors, features.interactions, 1).anchors(np.array([0]), np.array([[1, -1]]))
    assert anchors.recording.tolist() == [[0, -1]]
    assert anchors.share.tolist() == [[1.0, 0.0]]


def test_a_listener_without_history_has_no_anchor():
    features = random_world(1, listeners=2, recordings=3).replaced(interactions=table("interactions")).features()
    ids = features.user_id, features.recordings.recording_id
    factors = fit_collaborative(table("interactions"), *ids, FACTORS, 1)
    anchors = Explainer(factors, features.interactions, 1).anchors(np.arange(2), np.zeros((2, 4), dtype=int))
    assert (anchors.recording == -1).all()


@pytest.mark.parametrize(
    ("collaborative", "by_artist", "popularity", "freshness", "anchor", "own", "everywhere", "code"),
    [
        (0.8, 0.2, -0.1, 0.1, 5, True, True, "because_you_played"),
        (0.2, 0.8, -0.1, 0.1, 5, True, True, "more_by_artist"),
        (0.1, 0.2, -0.1, 0.3, 5, True, True, "new_release"),
        (0.0, 0.0, 0.9, 0.1, -1, True, True, "popular_in_market"),
        (0.0, 0.0, 0.9, 0.1, -1, False, True, "popular"),
        (0.0, 0.0, 0.1, 0.9, -1, True, True, "new_release"),
        (0.1, 0.0, 0.9, 0.0, 5, True, True, "popular_in_market"),
        (0.8, 0.0, -0.1, 0.0, -1, False, True, "popular"),
        (-0.2, 0.0, -0.1, 0.0, 5, False, False, "completes_the_list"),
        (0.0, 0.0, 0.0, 0.0, -1, False, False, "completes_the_list"),
    ],
)
def test_the_reason_is_the_strongest_evidence_there_is(
    collaborative, by_artist, popularity, freshness, anchor, own, everywhere, code
):
    components = _components(
        collaborative=collaborative, artist_affinity=by_artist, popularity=popularity, freshness=freshness
    )
    codes = reason_codes(
        components, np.array([anchor]), np.array([own]), np.array([everywhere]), ContentEvidence.nothing(1), PROVEN
    )
    assert codes.tolist() == [code]


PROVEN = np.array([COLLABORATIVE_RUNG])


def _components(**values):
    return Components(**{part.name: np.array([values.get(part.name, 0.0)]) for part in fields(Components)})


@pytest.mark.parametrize(
    ("text", "audio", "sounds_like", "playlist", "rung", "code"),
    [
        (0.5, 0.6, 3, 4, COLLABORATIVE_RUNG, "sounds_like"),
        (0.6, 0.5, 3, 4, COLLABORATIVE_RUNG, "on_playlists"),
        (0.6, 0.5, 3, -1, COLLABORATIVE_RUNG, "because_you_played"),
        (0.5, 0.6, -1, 4, COLLABORATIVE_RUNG, "because_you_played"),
        (0.5, 0.6, -1, 4, CONTENT_RUNG, "near_what_you_named"),
        (0.5, 0.6, -1, 4, SEGMENT_RUNG, "near_your_segment"),
    ],
)
def test_words_and_sound_are_a_reason_only_with_evidence(text, audio, sounds_like, playlist, rung, code):
    evidence = ContentEvidence(*(np.array([value], dtype=np.int32) for value in (sounds_like, 2, playlist)))
    no, anchor = np.array([False]), np.array([5])
    components = _components(collaborative=0.3, text=text, audio=audio)
    assert reason_codes(components, anchor, no, no, evidence, np.array([rung])).tolist() == [code]


@pytest.mark.parametrize(
    ("demand", "own", "everywhere", "code"),
    [
        (0.5, True, True, "popular_in_market"),
        (0.5, False, True, "popular"),
        (0.5, False, False, "because_you_played"),
        (0.2, True, True, "because_you_played"),
    ],
)
def test_that_many_listen_is_a_reason_where_it_weighs_most_and_is_so(demand, own, everywhere, code):
    components, anchor, rung = _components(collaborative=0.3, demand=demand), np.array([5]), PROVEN
    codes = reason_codes(components, anchor, np.array([own]), np.array([everywhere]), ContentEvidence.nothing(1), rung)
    assert codes.tolist() == [code]
