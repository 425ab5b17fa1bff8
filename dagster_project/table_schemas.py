"""Schemas of the tables that Python writes and dbt reads.

Belongs here: column names and types of the lake tables made outside dbt, and their stand-ins. Does not:
tables that dbt makes (their contracts are in warehouse/), landing files (models_ml/landing/contract.py).
"""

import pyarrow as pa

from dagster_project.lake import Lake
from models_ml.evaluation.report import EVALUATION_SCHEMA
from models_ml.funnel import FUNNEL_SCHEMA, REJECTED_SCHEMA
from models_ml.landing.report import REPORT_SCHEMA
from models_ml.playlist_tables import RELAXATIONS_SCHEMA, SLOTS_SCHEMA

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

# Without these, `dbt build` on a home that has never run would find no file to take the columns from.
STAND_INS = {
    "inputs/week_files": REPORT_SCHEMA,
    "inputs/committed_weeks": COMMITTED_WEEKS,
    "ml/playlist_slots": SLOTS_SCHEMA,
    "ml/relaxations": RELAXATIONS_SCHEMA,
    "ml/rejected_candidates": REJECTED_SCHEMA,
    "ml/candidate_funnel": FUNNEL_SCHEMA,
    "ml/run_facts": RUN_FACTS,
    "ml/evaluation_metrics": EVALUATION_SCHEMA,
    "marts/weekly_playlists": PLAYLIST_HISTORY,
    "marts/weekly_playlist_tracks": HISTORY,
}


def ensure_stand_ins(lake: Lake) -> None:
    """Empty, typed weeks for every table that dbt reads and does not make itself."""
    for table, schema in STAND_INS.items():
        lake.ensure_stand_in(table, schema)
