"""Lists of another system, as models beside ours in the evaluation.

Belongs here: reading them from the week's features and naming them. Does not: which rows count (the warehouse), scores.
"""

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.lake import Lake

TABLE = "features/external_lists"
PREFIX = "external_"


def external_models(lake: Lake, week: dt.date) -> dict[str, pa.Table]:
    """Lists by model, `external_<program_id>`, that landed for the Monday which `week` scores: none, where none did."""
    rows = lake.read_week(TABLE, week)
    programs = sorted(pc.unique(rows["program_id"]).to_pylist())
    lists = rows.select(["user_id", "position", "recording_id"])
    return {f"{PREFIX}{program}": lists.filter(pc.equal(rows["program_id"], program)) for program in programs}
