"""Schemas of the tables that Python writes and dbt reads.

Belongs here: column names and types of the lake tables made outside dbt, and their stand-ins. Does not:
tables that dbt makes (their contracts are in warehouse/), landing files (models_ml/landing/contract.py).
"""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.lake import Lake
from models_ml.evaluation.report import EVALUATION_SCHEMA
from models_ml.funnel import FUNNEL_SCHEMA, REJECTED_SCHEMA
from models_ml.landing.report import REPORT_SCHEMA
from models_ml.playlist_tables import MIXES_SCHEMA, RELAXATIONS_SCHEMA, SLOTS_SCHEMA
from models_ml.ranker.features import RANKING_FEATURES_SCHEMA
from models_ml.sound.labels import HEARD_SCHEMA

COMMITTED_WEEKS = pa.schema(
    [
        ("committed_week", pa.date32()),
    ]
)

RUN_FACTS = pa.schema(
    [
        ("config_hash", pa.string()),
        ("model_version", pa.string()),
        ("model_trained_at", pa.timestamp("us")),
        ("generated_at", pa.timestamp("us")),
    ]
)

# What the features read of the lists of earlier weeks.
HISTORY = pa.schema(
    [
        ("program_id", pa.string()),
        ("week", pa.date32()),
        ("user_id", pa.string()),
        ("position", pa.int32()),
        ("track_id", pa.string()),
        ("segment", pa.string()),
        ("arm_id", pa.string()),
        ("reason_code", pa.string()),
        ("p_complete", pa.float64()),
    ]
)
PLAYLIST_HISTORY = pa.schema(
    [
        ("program_id", pa.string()),
        ("week", pa.date32()),
        ("user_id", pa.string()),
        ("available_at", pa.timestamp("us")),
    ]
)
# What became of slots given by chance, as earlier weeks knew it.
BANDIT_FEEDBACK = pa.schema(
    [
        ("list_week", pa.date32()),
        ("segment", pa.string()),
        ("arm_id", pa.string()),
        ("pulls", pa.int64()),
        ("rewards", pa.int64()),
    ]
)
# What became of slots by the reason they were given with, likewise.
REASON_FEEDBACK = pa.schema(
    [
        ("list_week", pa.date32()),
        ("segment", pa.string()),
        ("reason_code", pa.string()),
        ("reached", pa.int64()),
        ("completed", pa.int64()),
        ("foretold", pa.float64()),
    ]
)

RUNGS_TABLE = "vectors/fused_recordings"
CANDIDATES, SLOTS, RANKER = "candidates/candidates", "ml/playlist_slots", "ranker/ranker"
# What dbt reads of the vectors; in Parquet a list of fixed size is a list, so that one stand-in does for any size.
_VECTOR = pa.list_(pa.float32())
_OF_RECORDING = ("recording_index", pa.int32())
VECTORS = {
    "vectors/recording_factors": pa.schema([("recording_id", pa.string()), ("vector", _VECTOR)]),
    "vectors/text_recordings": pa.schema([_OF_RECORDING, ("vector", _VECTOR)]),
    "vectors/audio_recordings": pa.schema([_OF_RECORDING, ("vector", _VECTOR), *HEARD_SCHEMA]),
    RUNGS_TABLE: pa.schema(
        [
            _OF_RECORDING,
            ("recording_id", pa.string()),
            ("liked_by", pa.int64()),
            ("rung", pa.string()),
            ("collaborative", _VECTOR),
            ("text", _VECTOR),
            ("audio", _VECTOR),
        ]
    ),
    "vectors/recording_sounds": pa.schema(
        [
            _OF_RECORDING,
            ("status", pa.string()),
            ("duration_seconds", pa.float64()),
            ("tempo_bpm", pa.float64()),
            ("tempo_confidence", pa.float64()),
            ("key", pa.int8()),
            ("mode", pa.string()),
            ("key_confidence", pa.float64()),
            ("energy", pa.float64()),
            ("brightness_hz", pa.float64()),
            ("loudness_lufs", pa.float64()),
        ]
    ),
}
# Where the size of each vector stands: table and column.
_SIZED_BY = {
    "collaborative": ("vectors/recording_factors", "vector"),
    "text": ("vectors/text_recordings", "vector"),
    "audio": ("vectors/audio_recordings", "vector"),
    "fused": (RUNGS_TABLE, "collaborative"),
}

# Without these, `dbt build` on a home that has never run would find no file to take the columns from.
STAND_INS = {
    "inputs/week_files": REPORT_SCHEMA,
    "inputs/committed_weeks": COMMITTED_WEEKS,
    SLOTS: SLOTS_SCHEMA,
    "ml/relaxations": RELAXATIONS_SCHEMA,
    "ml/playlist_mixes": MIXES_SCHEMA,
    "ml/rejected_candidates": REJECTED_SCHEMA,
    "ml/candidate_funnel": FUNNEL_SCHEMA,
    "ml/ranking_features": RANKING_FEATURES_SCHEMA,
    "ml/run_facts": RUN_FACTS,
    "ml/evaluation_metrics": EVALUATION_SCHEMA,
    "features/bandit_feedback": BANDIT_FEEDBACK,
    "features/reason_feedback": REASON_FEEDBACK,
    "marts/weekly_playlists": PLAYLIST_HISTORY,
    "marts/weekly_playlist_tracks": HISTORY,
    **VECTORS,
}


def ensure_stand_ins(lake: Lake) -> None:
    """Empty, typed weeks for every table that dbt reads and does not make itself."""
    for table, schema in STAND_INS.items():
        lake.ensure_stand_in(table, schema)


def vector_sizes(lake: Lake, week: dt.date) -> dict[str, int]:
    """How many numbers each vector of a week has, by the table's own type; those that are there."""
    there = {name: place for name, place in _SIZED_BY.items() if lake.has_week(place[0], week)}
    return {
        name: pq.read_schema(lake.path(table, week)).field(column).type.list_size
        for name, (table, column) in there.items()
    }
