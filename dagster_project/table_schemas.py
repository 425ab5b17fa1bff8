"""Schemas of the tables that Python writes and dbt reads.

Belongs here: column names and types of the lake tables made outside dbt, and their stand-ins. Does not:
tables that dbt makes (their contracts are in warehouse/), landing files (models_ml/landing/contract.py).
"""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.lake import Lake
from models_ml.comparison.gate import JUDGED_SCHEMA
from models_ml.evaluation.comparisons import COMPARISONS_SCHEMA as MODEL_COMPARISONS_SCHEMA
from models_ml.evaluation.report import EVALUATION_SCHEMA
from models_ml.experiments.declarations import EXPERIMENTS_SCHEMA, VARIANTS_SCHEMA
from models_ml.funnel import FUNNEL_SCHEMA, REJECTED_SCHEMA
from models_ml.landing.report import REPORT_SCHEMA
from models_ml.monitoring import MODEL_METRICS_SCHEMA
from models_ml.off_policy.tables import OFF_POLICY_SCHEMA
from models_ml.playlist_tables import MIXES_SCHEMA, RELAXATIONS_SCHEMA, SLOTS_SCHEMA
from models_ml.ranker.features import RANKING_FEATURES_SCHEMA, REHEARSED_FEATURES_SCHEMA
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

# What a comparison of two recipes found: one row per week of its lists, segment and metric.
COMPARISONS_SCHEMA = pa.schema(
    [
        ("compared_week", pa.date32()),
        ("config_hash", pa.string()),
        ("recipe_hash", pa.string()),
        ("baseline_config_hash", pa.string()),
        ("baseline_recipe_hash", pa.string()),
        ("changed", pa.string()),
        ("verdict", pa.string()),
        *JUDGED_SCHEMA,
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
        ("variant_id", pa.string()),
    ]
)
# What earlier weeks measured, for the references of this one.
MONITORING_HISTORY = pa.schema(
    [
        ("program_id", pa.string()),
        ("week", pa.date32()),
        ("dataset", pa.string()),
        ("metric", pa.string()),
        ("subject", pa.string()),
        ("value", pa.float64()),
    ]
)
# What became of slots given by chance, as earlier weeks knew it.
BANDIT_FEEDBACK = pa.schema(
    [
        ("list_week", pa.date32()),
        ("variant_id", pa.string()),
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

# Who was in which variant, and what became of lists, as earlier weeks knew it.
ASSIGNED_VARIANTS = pa.schema(
    [
        ("experiment_id", pa.string()),
        ("user_id", pa.string()),
        ("variant_id", pa.string()),
        ("bucket", pa.int32()),
        ("assigned_week", pa.date32()),
        ("pre_skip_rate", pa.float64()),
        ("pre_save_rate", pa.float64()),
        ("pre_completion_rate", pa.float64()),
        ("pre_active_days", pa.int32()),
    ]
)
VARIANT_FEEDBACK = pa.schema(
    [
        ("experiment_id", pa.string()),
        ("user_id", pa.string()),
        ("list_week", pa.date32()),
        ("reached", pa.int64()),
        ("completed", pa.int64()),
        ("saved", pa.int64()),
        ("skipped", pa.int64()),
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

# What is asked of the catalogues of earlier weeks.
EARLIER_EDITIONS = pa.schema([("track_id", pa.string()), ("recording_index", pa.int32())])
EARLIER_RECORDINGS = pa.schema([("recording_index", pa.int32()), ("recording_id", pa.string())])

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
    "ml/rehearsed_features": REHEARSED_FEATURES_SCHEMA,
    "ml/run_facts": RUN_FACTS,
    "ml/evaluation_metrics": EVALUATION_SCHEMA,
    "ml/evaluation_comparisons": MODEL_COMPARISONS_SCHEMA,
    "ml/off_policy_estimates": OFF_POLICY_SCHEMA,
    "ml/config_comparisons": COMPARISONS_SCHEMA,
    "ml/model_metrics": MODEL_METRICS_SCHEMA,
    "features/bandit_feedback": BANDIT_FEEDBACK,
    "features/editions": EARLIER_EDITIONS,
    "features/recordings": EARLIER_RECORDINGS,
    "marts/monitoring": MONITORING_HISTORY,
    "inputs/experiments": EXPERIMENTS_SCHEMA,
    "inputs/experiment_variants": VARIANTS_SCHEMA,
    "features/assigned_variants": ASSIGNED_VARIANTS,
    "features/variant_feedback": VARIANT_FEEDBACK,
    "features/reason_feedback": REASON_FEEDBACK,
    "marts/weekly_playlists": PLAYLIST_HISTORY,
    "marts/weekly_playlist_tracks": HISTORY,
    **VECTORS,
}


def ensure_stand_ins(lake: Lake) -> None:
    """Empty, typed weeks for every table that dbt reads and does not make itself."""
    for table, schema in STAND_INS.items():
        lake.ensure_stand_in(table, schema)


def ensure_week(lake: Lake, week: dt.date) -> None:
    """An empty table of `ml` for each that a week lacks, since it was made before there was one."""
    for table, schema in STAND_INS.items():
        if table.startswith("ml/") and not lake.has_week(table, week):
            lake.replace_week(table, week, schema.empty_table())


def vector_sizes(lake: Lake, week: dt.date) -> dict[str, int]:
    """How many numbers each vector of a week has, by the table's own type; those that are there."""
    there = {name: place for name, place in _SIZED_BY.items() if lake.has_week(place[0], week)}
    return {
        name: pq.read_schema(lake.path(table, week)).field(column).type.list_size
        for name, (table, column) in there.items()
    }
