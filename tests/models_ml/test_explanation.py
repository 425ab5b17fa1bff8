"""Tests of the decomposition of scores, of anchors and of reason codes."""

import implicit.cpu.als
import numpy as np
import pytest
import scipy.sparse
import threadpoolctl
from feature_worlds import random_world, table

from models_ml.collaborative import CollaborativeParams, fit_collaborative
from models_ml.explanation import Explainer

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


@pytest.mark.parametrize("artist_count", [None, 90, 8])
@pytest.mark.parametrize("least_share", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_of_what_adds_nearly_as_much_the_artists_own_is_the_anchor_or_one_whose_artist_is_told_least_often(
    least_share, artist_count
):
    _, features, factors, explainer = explained()
    artists = np.arange(90)
    if artist_count is not None:
        artists = np.random.default_rng(2).integers(0, artist_count, 90)
        explainer = Explainer(factors, features.interactions, 2, artists)
    recordings = np.random.default_rng(1).integers(0, 90, (60, 30))
    anchors = explainer.anchors(np.arange(60), recordings, least_share)
    for part in explainer.contributions(np.arange(60), recordings):
        for row, listener in enumerate(part.rows):
            told, told_by_artist = (dict.fromkeys(range(90), 0) for _ in range(2))
            for place, added in enumerate(part.values[row].T.round(12)):
                if added.max() <= 0:
                    assert anchors.recording[listener, place] == -1
                    continue
                strong = np.flatnonzero((added >= least_share * added.max()) & (added > 0))
                own = strong[artists[part.history[row, strong]] == artists[recordings[listener, place]]]
                strong = own if len(own) and least_share < 1 else strong
                heard = part.history[row, strong]
                counts = map(told_by_artist.get, artists[heard]), map(told.get, heard)
                turns = zip(*counts, -added[strong], heard, strict=True)
                first = min(turns)[-1]
                assert anchors.recording[listener, place] == first
                told[first] += 1
                told_by_artist[artists[first]] += 1


def test_a_list_names_more_of_what_is_liked_the_weaker_an_anchor_may_be():
    _, _, _, explainer = explained()
    recordings = np.random.default_rng(1).integers(0, 90, (60, 30))

    def different(least_share):
        anchors = explainer.anchors(np.arange(60), recordings, least_share)
        return np.mean([len(np.unique(row[row >= 0])) for row in anchors.recording])

    assert different(1.0) < different(0.8) < different(0.5)


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
