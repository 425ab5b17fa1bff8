"""What the ranker learns from, as arrays.

Belongs here: reading the table of examples, whose count, and which of them are held out. Does not: learning.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints, column, floats_with_nan, strings
from models_ml.experiments.groups import CONTROL
from models_ml.ranker.features import FEATURES
from models_ml.ranker.params import OUTCOMES
from models_ml.rules import RUNGS

_TABLE = "ranking_examples"
_HELD_OUT_ONE_IN = 5


@dataclass(frozen=True)
class Examples:
    """Candidates of earlier weeks and what came of them; arrays of (e,).

    listener: int64.  week: int64 days.  is_rehearsed: their week gave no lists.  is_slot: they were given and reached,
    else the listener was left alone.  was_played: reached or played by themselves.  values: (e, features) float32.
    outcomes: (outcomes, e) bool.  weight: how many candidates each stands for.  linear_score: as of their week.
    rung: int8 codes of rules.RUNGS, -1 where their week didn't keep it.
    """

    listener: Ints
    week: Ints
    is_rehearsed: Bools
    is_slot: Bools
    was_played: Bools
    values: Floats
    outcomes: Bools
    weight: Floats
    linear_score: Floats
    rung: Ints

    def asked_of(self, outcome: int) -> Bools:
        """(e,) True where it is learnt from: completions, of what listeners find; others, of what was played.

        Who reaches a slot mostly completes it, so that slots say little of what is wanted. Learnt together, they took
        an eighth off nDCG@30 (demo world, seed 101: .1370 against CF's .1396).
        """
        return ~self.is_slot if OUTCOMES[outcome] == "completed" else self.was_played

    def held_out(self) -> Bools:
        """(e,) True for the newest week, or, where there is one week of lists at most, for one listener in five."""
        if len(np.unique(self.week[~self.is_rehearsed])) > 1:
            return np.asarray(self.week == self.week.max())
        return np.asarray(self.listener % _HELD_OUT_ONE_IN == 0)


def made_under(table: pa.Table, policy: str) -> pa.Table:
    """Rows of the table of examples whose lists were made under the variant of a policy; CONTROL is of all lists.

    Of Mondays that were rehearsed there are no lists, so that every policy learns from them.
    """
    if policy == CONTROL:
        return table
    told = strings(table, _TABLE, "variant_id")
    each = pc.unique(told)
    theirs = [policy in (variants or "").split(",") for variants in each.to_pylist()]
    own = pc.is_in(told, each.filter(pa.array(theirs, pa.bool_())))
    return table.filter(pc.or_(own, table["is_rehearsed"]))


def read_examples(table: pa.Table) -> Examples:
    """The table of examples; InputError names column and row of what can't be used."""
    values = np.stack([floats_with_nan(table, _TABLE, name).astype(np.float32) for name in FEATURES], axis=1)
    names = ("is_rehearsed", "is_slot", "was_played", *OUTCOMES)
    flags = {name: column(table, _TABLE, name, np.bool_) for name in names}
    return Examples(
        column(table, _TABLE, "user_index", np.int64),
        table["list_week"].cast(pa.int32()).to_numpy().astype(np.int64),
        flags["is_rehearsed"],
        flags["is_slot"],
        flags["was_played"],
        values,
        np.stack([flags[name] for name in OUTCOMES]),
        column(table, _TABLE, "weight", np.float64),
        column(table, _TABLE, "linear_score", np.float32).astype(np.float64),
        pc.fill_null(pc.index_in(strings(table, _TABLE, "rung"), pa.array(RUNGS)), -1).to_numpy().astype(np.int8),
    )
