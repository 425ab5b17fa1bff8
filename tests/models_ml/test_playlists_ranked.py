"""Tests of lists made with a ranker, and of what is kept to learn one from."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from feature_worlds import random_world

from models_ml.assembly import AssemblyParams
from models_ml.playlists import Learning
from models_ml.ranker.features import FAMILIES, FEATURES, POSITION, TOLD, logged_listeners, standing
from models_ml.ranker.params import RankerParams
from models_ml.ranker.tables import Ranker
from models_ml.ranker.training import learn
from models_ml.ranking import RankingParams
from models_ml.reasons import ReasonParams, read_lifts
from tests.models_ml.ranker.ranker_examples import drawn_examples
from tests.models_ml.test_playlists import PARAMS, made

WORLD = random_world(5, listeners=25, recordings=150, artists=60, per_listener=20)
EVERYONE = np.ones(25, dtype=bool)


@cache
def ranker() -> Ranker:
    found = learn(drawn_examples(), RankerParams(minimum_positives=100, most_trees=40), seed=3).ranker
    assert found is not None
    return found


@cache
def lists(with_ranker: bool, logged: bool = True):
    return made(WORLD, learning=Learning(ranker() if with_ranker else None, EVERYONE & logged))


def _values(logged: pa.Table) -> np.ndarray:
    columns = [
        logged[name].to_numpy(zero_copy_only=False) if name in TOLD else np.full(logged.num_rows, np.nan)
        for name in FEATURES
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def test_keeping_features_changes_no_list():
    plain = made(WORLD)
    assert plain.logged.num_rows == 0
    assert lists(with_ranker=False).slots.equals(plain.slots)
    assert lists(with_ranker=True).slots.equals(lists(with_ranker=True, logged=False).slots)
    assert lists(with_ranker=True, logged=False).logged.num_rows == 0


def test_what_is_kept_is_what_is_scored():
    tables = lists(with_ranker=True)
    parts = ranker().contributions(_values(tables.logged))
    kept = {(row["user_id"], row["recording_id"]): place for place, row in enumerate(tables.logged.to_pylist())}
    features = WORLD.features()
    users, recordings = features.user_id.to_pylist(), features.recordings.recording_id.to_pylist()
    seen = 0
    for slot in tables.slots.to_pylist():
        row = kept.get((users[slot["user_index"]], recordings[slot["recording_index"]]))
        if row is None:
            assert slot["p_complete"] is None
            continue
        seen += 1
        assert tables.logged["position"][row].as_py() == slot["position"]
        for name in FAMILIES:
            assert slot[f"contribution_{name}"] == parts[name][row]
    assert seen > 300
    given = tables.logged["position"].drop_null()
    assert len(given) == seen


def test_the_same_features_are_kept_with_a_ranker_and_without():
    kept = [lists(with_ranker).logged.drop_columns([POSITION]) for with_ranker in (True, False)]
    assert kept[0].equals(kept[1])


def test_contributions_add_up_and_chances_are_chances():
    slots = lists(with_ranker=True).slots
    parts = [slots[name].to_numpy() for name in slots.column_names if name.startswith("contribution_")]
    assert slots["final_score"].to_numpy() == pytest.approx(np.sum(parts, axis=0), abs=1e-6)
    for name in ("p_complete", "p_save", "p_skip"):
        chances = slots[name].drop_null().to_numpy()
        assert len(chances)
        assert ((chances > 0) & (chances < 1)).all()
    assert all(lists(with_ranker=False).slots[name].null_count == slots.num_rows for name in ("p_complete", "p_skip"))


def test_the_popularity_penalty_comes_on_top():
    heavy = replace(
        PARAMS, ranking=RankingParams(popularity_penalty=50.0), assembly=AssemblyParams(calibration_weight=0)
    )
    dear = made(WORLD, heavy, learning=Learning(ranker(), EVERYONE)).slots
    mean = [np.mean(slots["popularity_percentile"].to_numpy()) for slots in (dear, lists(with_ranker=True).slots)]
    assert mean[0] < mean[1]
    percentile = dear["popularity_percentile"].to_numpy()
    assert dear["contribution_popularity"].to_numpy() == pytest.approx(-50.0 * percentile)


def test_nobody_is_told_of_more_by_an_artist_they_do_not_know():
    for slot in lists(with_ranker=True).slots.to_pylist():
        if slot["reason_code"] == "more_by_artist":
            assert not slot["is_new_artist"]
        if slot["reason_code"] == "because_you_played":
            assert slot["anchor_recording_index"] is not None


def test_what_is_less_near_than_most_is_given_for_what_it_is_near_to() -> None:
    far = [slot for slot in lists(with_ranker=True).slots.to_pylist() if slot["contribution_collaborative"] <= 0]
    named = Counter(slot["reason_code"] for slot in far if slot["primary_source"] == "collaborative")
    assert named["because_you_played"] > 0
    assert named["completes_the_list"] == 0


def test_listeners_without_a_vector_keep_their_popular_list():
    world = random_world(6, listeners=4, recordings=150, artists=60, per_listener=0)
    nobody = np.ones(4, dtype=bool)
    with_ranker = made(world, learning=Learning(ranker(), nobody))
    assert with_ranker.slots.equals(made(world).slots)
    assert with_ranker.logged.num_rows == 0


def test_the_sample_is_of_the_asked_size_and_another_one_every_week():
    ids, monday = pa.array([f"u{number}" for number in range(500)]), dt.date(2026, 11, 23)
    first, again, later = (logged_listeners(ids, week, 50) for week in (monday, monday, monday + dt.timedelta(weeks=1)))
    assert first.sum() == 50
    assert (first == again).all()
    assert (first & later).sum() < 20
    assert logged_listeners(ids, monday, 10**6).all()
    assert not logged_listeners(ids, monday, 0).any()


def test_standing_counts_in_standard_deviations_of_ones_own_candidates():
    rows, scores = np.array([0, 0, 0, 2, 5, 5]), np.array([1.0, 2.0, 3.0, 7.0, 4.0, 4.0])
    deviation = np.sqrt(1.5)
    assert standing(rows, scores) == pytest.approx([-deviation, 0.0, deviation, 0.0, 0.0, 0.0])
    assert len(standing(rows[:0], scores[:0])) == 0


def test_a_genre_that_is_a_reason_is_the_tracks_own_and_a_real_share_of_what_its_listener_likes() -> None:
    slots = lists(with_ranker=True).slots.to_pylist()
    named = [slot for slot in slots if slot["reason_code"] == "your_genre"]
    assert named
    assert all(slot["reason_genre"] is None for slot in slots if slot["reason_code"] != "your_genre")
    interactions = [row for row in WORLD.interactions.to_pylist() if row["preference"] > 0]
    for slot in named:
        assert slot["genres"] == [slot["reason_genre"]]
        liked = [
            (row["recording_index"], row["confidence"] - 1)
            for row in interactions
            if row["user_index"] == slot["user_index"]
        ]
        of_it = sum(weight for recording, weight in liked if f"genre {recording % 9}" == slot["reason_genre"])
        assert of_it >= 0.2 * sum(weight for _, weight in liked) - 1e-6
        parts = [slot[f"contribution_{name}"] for name in ("collaborative", "text", "audio", "artist_affinity")]
        assert slot["contribution_genre_affinity"] >= max(parts[:3])


def test_lifts_change_reasons_and_nothing_else() -> None:
    genres = sorted({f"genre {place}" for place in range(9)})
    table = pa.table({"segment": ["everyone"], "reason_code": ["because_you_played"], "lift": [0.5]})
    known = read_lifts(table, pa.array(genres))
    learned = made(WORLD, learning=Learning(ranker(), EVERYONE, known)).slots
    plain = lists(with_ranker=True).slots
    told = {"reason_code", "reason_genre", "anchor_recording_index", "shared_playlist_index"}
    same = [name for name in plain.column_names if name not in told]
    assert learned.select(same).equals(plain.select(same))
    counts = [Counter(slots["reason_code"].to_pylist())["because_you_played"] for slots in (plain, learned)]
    assert counts[1] < counts[0]
    off = replace(PARAMS, reasons=ReasonParams(learned_weight=0.0))
    assert made(WORLD, off, learning=Learning(ranker(), EVERYONE, known)).slots.equals(plain)
