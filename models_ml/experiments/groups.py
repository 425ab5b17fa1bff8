"""Groups: listeners whose lists are made with the same settings.

Belongs here: from variants of several experiments to one set of changes a listener. Does not: which settings may
change.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Ints
from models_ml.errors import InputError
from models_ml.experiments.settings_text import Settings, parse_settings

# What is learnt from the feedback of all lists.
CONTROL = "control"


@dataclass(frozen=True)
class Group:
    """name: the variants, for messages.  changed: settings.  policy: whose feedback arms and ranker are learnt from."""

    name: str
    changed: Settings
    policy: str


@dataclass(frozen=True)
class Groups:
    """groups: the first changes nothing.  of: (n,) place in groups of each listener."""

    groups: tuple[Group, ...]
    of: Ints


def groups_of(assigned: pa.Table, experiments: pa.Table, variants: pa.Table, listener_count: int) -> Groups:
    """Groups of the listeners of a week.

    assigned: user_index, experiment_id, variant_id of experiments that run.  experiments, variants: as declared.
    Variants that change the same and learn from the same feedback are one group.
    """
    own = set(experiments.filter(pc.equal(experiments["training_scope"], "own"))["experiment_id"].to_pylist())
    names = pc.binary_join_element_wise(variants["experiment_id"], variants["variant_id"], ":").to_pylist()
    texts = variants["parameters"].to_pylist()
    settings = [parse_settings(text, name) for name, text in zip(names, texts, strict=True)]
    combined, members = _combinations(assigned, pa.array(names, pa.string()), listener_count)
    groups, place = [Group(CONTROL, {}, CONTROL)], []
    for combination in combined:
        told = [names[variant] for variant in combination]
        changed: Settings = {}
        for variant in combination:
            for section, values in settings[variant].items():
                changed.setdefault(section, {}).update(values)
        policy = next((name for name in told if name.split(":")[0] in own), CONTROL)
        same = [number for number, group in enumerate(groups) if (group.changed, group.policy) == (changed, policy)]
        place.append(same[0] if same else len(groups))
        if not same:
            groups.append(Group(",".join(told), changed, policy))
    return Groups(tuple(groups), np.array(place, dtype=np.int64)[members])


def _combinations(assigned: pa.Table, names: pa.Array, listener_count: int) -> tuple[list[list[int]], Ints]:
    """(places of variants of each combination there is, (n,) combination of each listener)."""
    told = pc.binary_join_element_wise(assigned["experiment_id"], assigned["variant_id"], ":")
    variant = pc.fill_null(pc.index_in(told, names), -1).to_numpy()
    if (variant < 0).any():
        row = int(np.flatnonzero(variant < 0)[0])
        raise InputError(f"assigned_variants: variant {told[row].as_py()!r} in row {row} is not declared")
    experiments = pc.unique(assigned["experiment_id"]).sort()
    column = pc.index_in(assigned["experiment_id"], experiments).to_numpy()
    chosen = np.full((listener_count, max(len(experiments), 1)), -1, dtype=np.int64)
    chosen[assigned["user_index"].to_numpy(), column] = variant
    combined, members = np.unique(chosen, axis=0, return_inverse=True)
    return [[int(variant) for variant in row if variant >= 0] for row in combined], members.ravel()
