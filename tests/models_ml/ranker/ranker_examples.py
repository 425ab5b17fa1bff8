"""Made-up examples for the tests of the ranker. Belongs here: drawing them. Does not: expectations."""

import numpy as np
import pyarrow as pa

from models_ml.arrays import Floats
from models_ml.ranker.examples import Examples
from models_ml.ranker.features import FEATURES, POSITION
from models_ml.ranker.params import OUTCOMES
from models_ml.rules import RUNGS

RELEVANT = ("standing", "genre_taste", "age_days")


def drawn_values(random: np.random.Generator, count: int) -> Floats:
    """(count, features) at random, some of them unknown."""
    values = random.normal(size=(count, len(FEATURES))).astype(np.float32)
    values[random.random(values.shape) < 0.1] = np.nan
    values[:, FEATURES.index(POSITION)] = np.nan
    return values


def drawn_examples(seed: int = 1, count: int = 8000, weeks: int = 2, slots: float = 0.2) -> Examples:
    """Candidates whose completion goes with standing, genre and age, and whose skips go against standing."""
    random = np.random.default_rng(seed)
    values = drawn_values(random, count)
    told = {name: np.nan_to_num(values[:, FEATURES.index(name)]) for name in RELEVANT}
    is_slot = random.random(count) < slots
    values[is_slot, FEATURES.index(POSITION)] = random.integers(1, 31, is_slot.sum())
    odds = told["standing"] + 0.7 * told["genre_taste"] - 0.4 * told["age_days"] - 1.0
    completed = random.random(count) < 1 / (1 + np.exp(-odds))
    was_played = completed | is_slot | (random.random(count) < 0.3)
    skipped = was_played & ~completed & (random.random(count) < 1 / (1 + np.exp(2 * told["standing"])))
    saved = completed & (random.random(count) < 0.3)
    weight = np.where(was_played, 1.0, 5.0)
    return Examples(
        random.integers(0, 200, count),
        20_000 + 7 * random.integers(0, weeks, count),
        np.zeros(count, dtype=bool),
        is_slot,
        was_played,
        values,
        np.stack([completed, saved, skipped]),
        weight,
        random.normal(size=count) * 0.3,
        np.zeros(count, dtype=np.int8),
    )


def as_table(examples: Examples, variant_id: str | None = None) -> pa.Table:
    """The same as the warehouse hands them on, all of lists made under these variants."""
    columns = {
        "user_index": pa.array(examples.listener, pa.int32()),
        "list_week": pa.array(examples.week.astype(np.int32), pa.int32()).cast(pa.date32()),
        "variant_id": pa.array([variant_id] * len(examples.week), pa.string()),
        "is_rehearsed": examples.is_rehearsed,
        "is_slot": examples.is_slot,
        "was_played": examples.was_played,
        "weight": examples.weight,
        "rung": pa.array(RUNGS).take(pa.array(examples.rung)),
        "linear_score": examples.linear_score.astype(np.float32),
    }
    columns |= dict(zip(OUTCOMES, examples.outcomes, strict=True))
    # Null where it is unknown, as dbt has it.
    columns |= {name: pa.array(examples.values[:, place], from_pandas=True) for place, name in enumerate(FEATURES)}
    return pa.table(columns)
