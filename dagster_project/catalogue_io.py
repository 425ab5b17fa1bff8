"""The catalogue as single columns by recording, read from the week's features.

Belongs here: what of an edition stands for its recording. Does not: vectors (vectors_io.py), rules about editions.
"""

import datetime as dt

import numpy as np
import pyarrow as pa

from dagster_project.lake import Lake
from models_ml.arrays import Ints, joined


def first_artists(lake: Lake, week: dt.date) -> Ints:
    """(m,) first credited artist of each recording's preferred edition."""
    return np.asarray(_of_preferred(lake, week, "artist_index").to_numpy(zero_copy_only=False))


def artist_ids(lake: Lake, week: dt.date) -> pa.Array:
    """(m,) its id."""
    return _of_preferred(lake, week, "artist_id")


def _of_preferred(lake: Lake, week: dt.date, column: str) -> pa.Array:
    editions = lake.read_week("features/editions", week, ["recording_index", column])
    _, first = np.unique(editions["recording_index"].to_numpy(), return_index=True)
    return joined(editions[column]).take(pa.array(first))
