"""What the catalogue says of tracks that have sound, as the network's labels; and what it hears, as columns.

Belongs here: genres and voice from columns to arrays and back. Does not: vectors and their evidence (targets.py).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, joined

if TYPE_CHECKING:  # loads torch, which whoever only wants the columns does without
    from models_ml.sound.vectors import SoundPredictions

# Genres that fewer tracks have teach nothing.
_FEWEST_OF_A_GENRE = 20
HEARD_SCHEMA = pa.schema(
    [
        ("instrumental", pa.float32()),
        ("genre", pa.string()),
        ("genre_chance", pa.float32()),
    ]
)


@dataclass(frozen=True)
class Labels:
    """genres: (n, g) True where it belongs to the genre, None where no genre is common enough.  genre_known: (n,).

    genre_names: (g).  instrumental: (n,) 1 without voice, 0 with, NaN unknown.
    """

    genres: Bools | None
    genre_known: Bools | None
    genre_names: tuple[str, ...]
    instrumental: Floats


def read_labels(table: pa.Table) -> Labels:
    """Labels of each row.  table: genres list<string>, is_instrumental bool, null where unknown."""
    instrumental = table["is_instrumental"].cast(pa.float32()).to_numpy().astype(np.float32)
    lists = joined(table["genres"])
    counted = pc.value_counts(lists.flatten()).to_pylist()
    names = tuple(sorted(row["values"] for row in counted if row["counts"] >= _FEWEST_OF_A_GENRE))
    if not names:
        return Labels(None, None, (), instrumental)
    genres = np.zeros((table.num_rows, len(names)), dtype=bool)
    place = pc.index_in(lists.flatten(), pa.array(names)).fill_null(-1).to_numpy(zero_copy_only=False)
    row = pc.list_parent_indices(lists).to_numpy()
    genres[row[place >= 0], place[place >= 0]] = True
    return Labels(genres, np.asarray(genres.any(axis=1)), names, instrumental)


def heard_columns(told: "SoundPredictions", genre_names: tuple[str, ...]) -> pa.Table:
    """instrumental, genre, genre_chance of each track: the likeliest genre, null where none was learnt."""
    count = len(told.instrumental)
    genre, chance = pa.nulls(count, pa.string()), pa.nulls(count, pa.float32())
    if genre_names:
        genre = pa.array(genre_names).take(pa.array(told.genres.argmax(axis=1)))
        chance = pa.array(told.genres.max(axis=1), pa.float32())
    return pa.table([pa.array(told.instrumental, pa.float32()), genre, chance], schema=HEARD_SCHEMA)
