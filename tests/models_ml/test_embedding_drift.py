"""Drift of vectors: a turn is none, noise is some, and only what both weeks know counts."""

import math

import numpy as np
import pyarrow as pa
import pytest

from models_ml.arrays import Floats, vector_column
from models_ml.embedding_drift import aligned_cosine, embedding_drift
from models_ml.errors import InputError
from models_ml.monitoring import MODEL_METRICS_SCHEMA, MonitoringParams, model_metrics
from models_ml.retrieval_quality import QUALITY_SCHEMA


def _vectors(count: int = 200, width: int = 8, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(count, width))


def _turn(width: int = 8) -> Floats:
    return np.asarray(np.linalg.qr(_vectors(width, width, seed=1))[0])


def _table(vectors: Floats, first: int = 0) -> pa.Table:
    ids = [f"r{first + number}" for number in range(len(vectors))]
    return pa.table({"recording_id": ids, "vector": vector_column(vectors)})


def test_a_space_that_was_turned_or_stretched_has_not_moved() -> None:
    vectors = _vectors()
    assert aligned_cosine(vectors, vectors) == pytest.approx(1.0)
    assert aligned_cosine(vectors @ _turn(), vectors) == pytest.approx(1.0)
    assert aligned_cosine(3 * vectors, vectors) == pytest.approx(1.0)


def test_the_mean_cosine_is_that_of_the_vectors_turned_onto_each_other() -> None:
    vectors, turn = _vectors(), _turn()
    now = vectors @ turn + 0.5 * _vectors(seed=2)
    unit_now, unit_before = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (now, vectors))
    left, _, right = np.linalg.svd(unit_before.T @ unit_now)
    expected = float(np.mean(np.sum((unit_before @ left @ right) * unit_now, axis=1)))
    assert aligned_cosine(now, vectors) == pytest.approx(expected)
    assert 0.5 < expected < 1.0


def test_more_noise_is_more_drift() -> None:
    vectors = _vectors()
    found = [aligned_cosine(vectors + share * _vectors(seed=2), vectors) for share in (0.0, 0.2, 0.5, 1.0, 3.0)]
    assert found == sorted(found, reverse=True)


def test_of_vectors_that_have_nothing_to_do_with_each_other_little_is_alike() -> None:
    assert aligned_cosine(_vectors(5000), _vectors(5000, seed=3)) < 0.1


def test_only_recordings_with_a_vector_in_both_weeks_count() -> None:
    vectors = _vectors(30)
    before = vectors.copy()
    before[3] = 0.0
    found = embedding_drift(_table(vectors[5:], first=5), _table(before[:20]))
    assert (found.shared, found.distance) == (15, pytest.approx(0.0, abs=1e-6))
    found = embedding_drift(_table(vectors), _table(before))
    assert found.shared == 29
    shuffled = _table(before).take(np.random.default_rng(0).permutation(30))
    assert embedding_drift(_table(vectors), shuffled).distance == pytest.approx(found.distance)


def test_without_shared_recordings_there_is_no_drift_to_tell() -> None:
    empty = _table(_vectors(0))
    for now, before in (
        (empty, empty),
        (_table(_vectors(5)), _table(_vectors(5), first=5)),
        (_table(np.zeros((2, 8))), _table(_vectors(2))),
        (_table(_vectors(5, 8)), _table(_vectors(5, 4))),
    ):
        found = embedding_drift(now, before)
        assert math.isnan(found.distance)
        assert found.shared == 0


def test_one_recording_is_turned_onto_itself() -> None:
    assert embedding_drift(_table(_vectors(1)), _table(_vectors(1, seed=4))).distance == pytest.approx(0.0, abs=1e-6)


def test_what_is_no_vector_column_is_named() -> None:
    with pytest.raises(InputError, match="before: column vector is not a fixed_size_list"):
        embedding_drift(_table(_vectors(2)), pa.table({"recording_id": ["r0"], "vector": [1.0]}))


def test_the_rows_are_the_least_recall_and_the_drift() -> None:
    shared = {"engine": "usearch", "k": 10, "searched": "usearch"}
    tenths = [{"decile": 0, "probes": 50, "recall": 0.9} | shared, {"decile": 9, "probes": 40, "recall": 1.0} | shared]
    quality = pa.Table.from_pylist(tenths, schema=QUALITY_SCHEMA)
    drift = embedding_drift(_table(_vectors(30)), _table(_vectors(30)))
    rows = model_metrics(quality, drift).to_pylist()
    assert [(row["dataset"], row["metric"], row["evidence_count"]) for row in rows] == [
        ("candidate_index", "index_recall", 90),
        ("recording_factors", "embedding_drift", 30),
    ]
    assert [row["value"] for row in rows] == [0.9, pytest.approx(0.0, abs=1e-6)]


def test_a_first_week_without_listeners_has_no_row() -> None:
    table = model_metrics(QUALITY_SCHEMA.empty_table(), None)
    assert (table.num_rows, table.schema) == (0, MODEL_METRICS_SCHEMA)


def test_more_weeks_needed_than_looked_at_is_no_setting() -> None:
    with pytest.raises(ValueError, match="fewest_past_weeks is 9; past_weeks is 8"):
        MonitoringParams(fewest_past_weeks=9)
