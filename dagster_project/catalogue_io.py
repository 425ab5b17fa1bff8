"""The catalogue by recording, read from the week's features.

Belongs here: what of an edition stands for its recording. Does not: vectors (vectors_io.py), rules about editions.
"""

import datetime as dt

import numpy as np
import pyarrow as pa

from dagster_project.lake import Lake
from models_ml.arrays import Ints, joined


def preferred_editions(lake: Lake, week: dt.date, columns: list[str]) -> pa.Table:
    """These columns of each recording's preferred edition, by recording_index."""
    editions = lake.read_week("features/editions", week, ["recording_index", *columns])
    _, first = np.unique(editions["recording_index"].to_numpy(), return_index=True)
    return editions.select(columns).take(pa.array(first))


def first_artists(lake: Lake, week: dt.date) -> Ints:
    """(m,) first credited artist of each recording's preferred edition."""
    return np.asarray(preferred_editions(lake, week, ["artist_index"])["artist_index"].to_numpy())


def artist_ids(lake: Lake, week: dt.date) -> pa.Array:
    """(m,) its id."""
    return joined(preferred_editions(lake, week, ["artist_id"])["artist_id"])
