"""Listeners of whom little is known: what they named, else their segment."""

import datetime as dt
import tracemalloc

import numpy as np
import pyarrow as pa
import pytest

from models_ml.arrays import Pairs
from models_ml.collaborative import CollaborativeFactors
from models_ml.linear_solves import solve_listeners
from models_ml.newcomers import read_newcomers
from models_ml.rules import COLLABORATIVE_RUNG, CONTENT_RUNG, FOLD_IN_RUNG, POPULAR_RUNG, SEGMENT_RUNG
from models_ml.starting import Newcomers, StartingParams, starts
from tests.models_ml.test_fusion import interactions_of

RECORDINGS = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9]], dtype=np.float32)
PARAMS = StartingParams(fold_in_below=2, segment_minimum=2, named_artist_recordings=1, named_genre_recordings=2)


def pairs(rows, width):
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Pairs(indptr, np.array([value for row in rows for value in row], dtype=np.int32), width)


def placed(matrix, artist=None, genre=None, market=None, cohort=None):
    matrix = np.array(matrix, dtype=float)
    count, nobody = len(matrix), [[] for _ in matrix]
    liked = interactions_of(matrix)
    vectors = solve_listeners(liked, count, RECORDINGS, 0.5, 1)
    newcomers = Newcomers(
        artist=pairs(artist or nobody, 2),
        artist_recordings=pairs([[1, 0], [3, 2]], 4),
        genre=pairs(genre or nobody, 1),
        genre_recordings=pairs([[2, 3, 0]], 4),
        market=np.array(market or [-1] * count),
        cohort=np.array(cohort or [-1] * count),
    )
    return starts(CollaborativeFactors(vectors, RECORDINGS, 0.0, 1, False, 0.5), liked, newcomers, PARAMS)


def test_each_listener_stands_on_the_firmest_rung_there_is():
    found = placed(
        [[3, 3, 0, 0], [0, 0, 3, 3], [3, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
        artist=[[], [], [], [1], [], []],
        market=[0, 0, 0, 0, 0, -1],
    )
    rungs = [COLLABORATIVE_RUNG] * 2 + [FOLD_IN_RUNG, CONTENT_RUNG, SEGMENT_RUNG, POPULAR_RUNG]
    assert found.rung.tolist() == rungs
    assert found.vectors[3] @ RECORDINGS[3] > found.vectors[3] @ RECORDINGS[1], "the artist they named"
    assert found.vectors[4] == pytest.approx(found.vectors[:2].mean(axis=0), abs=1e-6)
    assert not found.vectors[5].any()


def test_named_genres_help_first_events_and_never_move_who_is_known():
    alone = placed([[3, 0, 0, 0], [3, 3, 0, 0]])
    named = placed([[3, 0, 0, 0], [3, 3, 0, 0]], genre=[[0], [0]])
    assert (named.vectors[0] @ RECORDINGS[2]) > (alone.vectors[0] @ RECORDINGS[2])
    assert named.vectors[1].tolist() == alone.vectors[1].tolist()
    assert named.rung[0] == FOLD_IN_RUNG


def test_the_sign_up_week_goes_before_the_market_and_a_small_segment_says_nothing():
    matrix = [[3, 3, 0, 0], [3, 3, 0, 0], [0, 0, 3, 3], [0, 0, 3, 3], [0, 0, 0, 0], [0, 0, 0, 0]]
    found = placed(matrix, market=[0] * 5 + [1], cohort=[0, 0, 1, 1, 1, 2])
    assert found.vectors[4] @ RECORDINGS[2] > found.vectors[4] @ RECORDINGS[0]
    assert found.rung[5] == POPULAR_RUNG


def test_many_who_name_a_genre_of_many_recordings_take_the_memory_of_what_is_kept():
    count, recordings = 3_000, 20_000
    vectors = np.random.default_rng(0).normal(size=(recordings, 2)).astype(np.float32)
    nobody = pairs([[] for _ in range(count)], 1)
    newcomers = Newcomers(
        artist=nobody,
        artist_recordings=pairs([[]], recordings),
        genre=pairs([[0] for _ in range(count)], 1),
        genre_recordings=pairs([range(recordings)], recordings),
        market=np.full(count, -1),
        cohort=np.full(count, -1),
    )
    factors = CollaborativeFactors(np.zeros((count, 2), dtype=np.float32), vectors, 0.0, 1, False, 0.5)
    nothing_heard = interactions_of(np.zeros((count, recordings), dtype=np.int8))
    tracemalloc.start()
    found = starts(factors, nothing_heard, newcomers, PARAMS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.rung == CONTENT_RUNG).all()
    # Two of a genre's recordings are kept a listener; all of them would be 480 MB in one array of pairs.
    assert peak < 60_000_000


def test_a_sign_up_week_begins_on_monday():
    days = [dt.date(2026, 3, 2), dt.date(2026, 3, 4), dt.date(2026, 3, 8), dt.date(2026, 3, 9), None]
    moments = [None if day is None else dt.datetime.combine(day, dt.time(12)) for day in days]
    newcomers = read_newcomers(
        listeners=pa.table({"market": ["DE"] * 5, "registered_at": pa.array(moments, pa.timestamp("us"))}),
        favourite_artists=pa.table({"user_index": pa.array([], pa.int32()), "artist_index": pa.array([], pa.int32())}),
        favourite_genres=pa.table({"user_index": pa.array([], pa.int32()), "genre": pa.array([], pa.string())}),
        editions=pa.table(
            {
                "recording_index": pa.array([0], pa.int32()),
                "artist_index": pa.array([0], pa.int32()),
                "genres": pa.array([["rock"]], pa.list_(pa.string())),
            }
        ),
        recordings=pa.table({"listener_count": pa.array([1], pa.int64())}),
    )
    first, second, third, next_week, unknown = newcomers.cohort.tolist()
    assert first == second == third
    assert next_week not in (first, -1)
    assert unknown == -1
