"""Which recordings are the same one in sound, from the week's tables and back to them."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from dagster_project.lake import Lake
from dagster_project.sound_io import NEAR_DUPLICATES, SOUNDS, keep_audio, keep_near_duplicates
from models_ml.near_duplicates import NearDuplicateParams
from tests.worlds import MONDAY

PARAMS = NearDuplicateParams()


def kept(folder: Path, lengths_ms: list[int | None], vectors: int = 4) -> list[dict[str, int]]:
    """Rows of four recordings: the first has no usable file, the others are 180 s of one chord."""
    lake = Lake(folder)
    lake.replace_week(
        "features/editions",
        MONDAY,
        pa.table({"recording_index": pa.array(range(4), pa.int32()), "duration_ms": pa.array(lengths_ms, pa.int64())}),
    )
    sounds = {
        "recording_index": pa.array(range(4), pa.int32()),
        "status": ["unreadable", "ok", "ok", "ok"],
        "content_hash": ["a", "b", "c", "d"],
        "duration_seconds": [None, 180.0, 180.0, 180.0],
        "tempo_bpm": [None, 120.0, 120.0, 120.0],
        "key": pa.array([None, 0, 0, 0], pa.int8()),
        "mode": [None, "major", "major", "major"],
    }
    lake.replace_week(SOUNDS, MONDAY, pa.table(sounds))
    chord = np.tile(np.array([0.6, 0.8], dtype=np.float32), (vectors, 1))
    keep_audio(lake, MONDAY, np.arange(vectors), chord, None, "nothing")
    rows = keep_near_duplicates(lake, MONDAY, PARAMS)
    table = lake.read_week(NEAR_DUPLICATES, MONDAY)
    assert table.num_rows == rows
    return table.to_pylist()


def test_recordings_that_sound_the_same_are_rows_named_by_the_first(tmp_path: Path) -> None:
    rows = kept(tmp_path, [180_000, 181_000, 240_000, 182_000])
    assert rows == [{"recording_index": 1, "same_as": 1}, {"recording_index": 3, "same_as": 1}]


def test_a_length_that_the_catalogue_does_not_know_is_that_of_the_file(tmp_path: Path) -> None:
    assert [row["recording_index"] for row in kept(tmp_path, [None, None, 180_000, 240_000])] == [1, 2]


def test_without_vectors_of_sound_no_recording_is_like_another(tmp_path: Path) -> None:
    assert kept(tmp_path, [180_000] * 4, vectors=0) == []
