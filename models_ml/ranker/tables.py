"""The ranker as tables: what each family adds to the log odds of each outcome, looked up by cell.

Belongs here: compiled families, scoring with them, the table they are kept as.
Does not: learning them (training.py), features (features.py).

Between two neighbouring thresholds of its features nothing changes in a family's trees: their sum is a number a cell,
and a candidate's score a lookup a family instead of a walk down hundreds of trees.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Floats, Ints, ranges
from models_ml.errors import InputError
from models_ml.experiments.groups import CONTROL
from models_ml.ranker.features import FAMILIES, FEATURES
from models_ml.ranker.params import OUTCOMES, RankerParams
from models_ml.rules import RUNGS

RANKER_SCHEMA = pa.schema(
    [
        ("variant_id", pa.string()),
        ("part", pa.string()),
        ("name", pa.string()),
        ("values", pa.list_(pa.float64())),
    ]
)
_TABLE: Final = "ranker/ranker"
_CACHED_VALUES = 1 << 15


@dataclass(frozen=True)
class FamilyTable:
    """What one family adds.

    columns: its features' places in FEATURES.  thresholds: of each feature, ascending float32; a value belongs to the
    cell after all that are below it, NaN to one of its own at the end.
    log_odds: (outcomes, cells) float64, 0 on the mean of the candidates that were learnt from.
    """

    columns: tuple[int, ...]
    thresholds: tuple[Floats, ...]
    log_odds: Floats

    def cells(self, values: Floats) -> Ints:
        """(c,) cell of each candidate.  values: (c, features) float32."""
        cell = np.zeros(len(values), dtype=np.int64)
        for column, thresholds in zip(self.columns, self.thresholds, strict=True):
            of = np.ascontiguousarray(values[:, column])
            cell *= len(thresholds) + 2
            cell += np.where(np.isnan(of), len(thresholds) + 1, _thresholds_below(of, thresholds))
        return cell


def _thresholds_below(values: Floats, thresholds: Floats) -> Ints:
    """(c,) how many of the few thresholds lie below each value, in blocks that stay in the cache.

    A search takes five times as long: it can't compare several values at once.
    """
    count = np.zeros(len(values), dtype=np.int16)
    for start, stop in ranges(len(values), _CACHED_VALUES):
        part, of = values[start:stop], count[start:stop]
        for threshold in thresholds:
            of += part > threshold
    return count


@dataclass(frozen=True)
class Ranker:
    """families: by name, in the order of FAMILIES.

    base: (outcomes,) log odds of the mean candidate.  weights: (outcomes,) what each outcome is worth, 0 where it was
    not learnt.  chances: (outcomes, 2) slope and offset that turn log odds into those seen, NaN where not learnt.
    rung_offsets: (outcomes, rungs) what is added to the log odds so turned on each of rules.RUNGS.
    scale: brings the weighted log odds to the spread of the linear score.
    """

    families: dict[str, FamilyTable]
    base: Floats
    weights: Floats
    chances: Floats
    rung_offsets: Floats
    scale: float

    def blended(self, params: RankerParams) -> "Ranker":
        """The same with outcomes worth what the settings say; the scale stays that of what they were worth."""
        return replace(self, weights=np.where(np.isnan(self.chances[:, 0]), 0.0, np.array(params.weights)))

    def contributions(self, values: Floats) -> dict[str, Floats]:
        """(c,) float64 what each family adds to the score.  values: (c, features) float32."""
        return {
            name: (self.scale * self.weights @ family.log_odds)[family.cells(values)]
            for name, family in self.families.items()
        }

    def log_odds(self, values: Floats) -> Floats:
        """(outcomes, c) float64, as the boosters have them."""
        odds = np.repeat(self.base[:, None], len(values), axis=1)
        for family in self.families.values():
            odds += family.log_odds[:, family.cells(values)]
        return odds

    def chance(self, values: Floats, rungs: Ints) -> Floats:
        """(outcomes, c) calibrated chance of each outcome, NaN where it was not learnt or no list could tell.

        rungs: (c,) codes of rules.RUNGS, what each candidate stands on.
        """
        return logistic(self.chances[:, :1] * self.log_odds(values) + self.chances[:, 1:] + self.rung_offsets[:, rungs])

    def to_table(self, policy: str = CONTROL) -> pa.Table:
        """RANKER_SCHEMA, a row a part.  policy: whose lists it was learnt from."""
        learnt = [place for place in range(len(OUTCOMES)) if np.isfinite(self.chances[place, 0])]
        rows: list[tuple[str, str, Floats | list[float]]] = [("scale", "", [self.scale])]
        for family in self.families.values():
            named = zip(family.columns, family.thresholds, strict=True)
            rows += [("thresholds", FEATURES[column], of.astype(np.float64)) for column, of in named]
        for place in learnt:
            outcome = OUTCOMES[place]
            rows.append(("outcome", outcome, [self.base[place], self.weights[place], *self.chances[place]]))
            rows.append(("rung_offsets", outcome, self.rung_offsets[place]))
            rows += [(outcome, name, family.log_odds[place]) for name, family in self.families.items()]
        columns = zip(*((policy, *row) for row in rows), strict=True)
        return pa.table(dict(zip(RANKER_SCHEMA.names, columns, strict=True)), schema=RANKER_SCHEMA)


def read_ranker(table: pa.Table, policy: str = CONTROL) -> Ranker | None:
    """The ranker of a policy in a table that `to_table` made; None where nothing was learnt.

    policy: whose lists it was learnt from.  A week of before rankers were told apart has one, which made all its lists.
    """
    if "variant_id" in table.column_names:
        table = table.filter(pc.equal(table["variant_id"], policy))
    if not table.num_rows:
        return None
    keys = zip(table["part"].to_pylist(), table["name"].to_pylist(), strict=True)
    parts = {key: np.array(values) for key, values in zip(keys, table["values"].to_pylist(), strict=True)}
    stated = {part for part, _ in parts}
    of = np.stack([parts.get(("outcome", name), np.array([0.0, 0.0, np.nan, np.nan])) for name in OUTCOMES])
    rung_offsets = np.stack([parts.get(("rung_offsets", name), np.zeros(len(RUNGS))) for name in OUTCOMES])
    families = {}
    for name, members in FAMILIES.items():
        thresholds = tuple(_part(parts, "thresholds", member).astype(np.float32) for member in members)
        cells = int(np.prod([len(each) + 2 for each in thresholds]))
        odds = [_part(parts, outcome, name) if outcome in stated else np.zeros(cells) for outcome in OUTCOMES]
        families[name] = FamilyTable(tuple(FEATURES.index(member) for member in members), thresholds, np.stack(odds))
    return Ranker(families, of[:, 0], of[:, 1], of[:, 2:], rung_offsets, float(_part(parts, "scale", "")[0]))


def _part(parts: dict[tuple[str, str], Floats], part: str, name: str) -> Floats:
    if (part, name) not in parts:
        raise InputError(f"{_TABLE}: no row with part {part} and name {name}; materialize {_TABLE} again")
    return parts[part, name]


def logistic(odds: Floats) -> Floats:
    """The chance of log odds."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * odds)))
