"""Tests of groups: listeners whose lists are made alike are one group, and each has its own settings."""

import pyarrow as pa
import pytest

from models_ml.errors import InputError
from models_ml.experiments.declarations import EXPERIMENTS_SCHEMA, VARIANTS_SCHEMA
from models_ml.experiments.groups import CONTROL, groups_of

SHARE = "exploration.slot_share"


def experiments(**scopes: str) -> pa.Table:
    rows = [{"experiment_id": name, "training_scope": scope} for name, scope in scopes.items()]
    return pa.Table.from_pylist(rows, schema=EXPERIMENTS_SCHEMA)


def variants(*rows: tuple[str, str, str | None]) -> pa.Table:
    names = ("experiment_id", "variant_id", "parameters")
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema=VARIANTS_SCHEMA)


def assigned(*rows: tuple[int, str, str]) -> pa.Table:
    schema = pa.schema([("user_index", pa.int32()), ("experiment_id", pa.string()), ("variant_id", pa.string())])
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)


DECLARED = variants(("a", "control", None), ("a", "more", f"{SHARE}=0.2"), ("b", "on", "rules.tracks_per_album=1"))


def test_without_experiments_everyone_is_in_the_group_that_changes_nothing() -> None:
    found = groups_of(assigned(), experiments(), variants(), 3)
    assert [(group.changed, group.policy) for group in found.groups] == [({}, CONTROL)]
    assert found.of.tolist() == [0, 0, 0]


def test_a_control_that_changes_nothing_is_with_those_in_no_experiment() -> None:
    rows = assigned((0, "a", "control"), (1, "a", "more"), (3, "a", "more"))
    found = groups_of(rows, experiments(a="shared"), DECLARED, 4)
    assert [group.changed for group in found.groups] == [{}, {"exploration": {"slot_share": 0.2}}]
    assert found.of.tolist() == [0, 1, 0, 1]


def test_variants_of_several_layers_change_what_each_of_them_changes() -> None:
    rows = assigned((0, "b", "on"), (0, "a", "more"), (1, "a", "more"), (2, "b", "on"))
    found = groups_of(rows, experiments(a="shared", b="shared"), DECLARED, 3)
    changed = [found.groups[group].changed for group in found.of]
    album, share = {"rules": {"tracks_per_album": 1}}, {"exploration": {"slot_share": 0.2}}
    assert changed == [{**album, **share}, share, album]


def test_a_variant_that_learns_from_its_own_feedback_is_a_group_of_its_own() -> None:
    rows = assigned((0, "a", "control"), (1, "a", "more"), (1, "b", "on"))
    found = groups_of(rows, experiments(a="own", b="shared"), DECLARED, 3)
    assert [found.groups[group].policy for group in found.of] == ["a:control", "a:more", CONTROL]


def test_a_variant_that_nobody_declares_is_an_error() -> None:
    with pytest.raises(InputError, match="assigned_variants: variant 'a:gone' in row 1 is not declared"):
        groups_of(assigned((0, "a", "more"), (1, "a", "gone")), experiments(a="own"), DECLARED, 2)
