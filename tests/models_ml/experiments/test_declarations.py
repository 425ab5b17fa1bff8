"""Tests of declarations: what is read of them, and what is said of those that can't be."""

import datetime as dt

import pytest

from models_ml.errors import InputError
from models_ml.experiments.declarations import (
    EXPERIMENTS_SCHEMA,
    VARIANTS_SCHEMA,
    as_csv,
    declarations_of,
    declared_rows,
    read_declarations,
)
from models_ml.experiments.settings_text import parse_settings

HEAD = ",".join(EXPERIMENTS_SCHEMA.names) + "\n"
VARIANTS_HEAD = ",".join(VARIANTS_SCHEMA.names) + "\n"
ONE = "explore,lists,0,4999,2026-11-02,2026-11-30,DE|SE,20,own,4000,skip_rate|retention_30d,0.05\n"
TWO = "wide,lists,5000,9999,2026-11-02,,,,,500,,\n"
VARIANTS = "explore,none,0.5,true,exploration.slot_share=0\nexplore,some,0.5,false,exploration.slot_share=0.1\n"
MORE = "wide,control,0.9,true,\nwide,wide,0.1,false,rules.tracks_per_artist=1; ranker.learned=false\n"


def read(experiments: str, variants: str):
    return read_declarations(("experiments.csv", HEAD + experiments), ("variants.csv", VARIANTS_HEAD + variants))


def test_what_is_declared_is_read_with_what_is_left_out_filled_in() -> None:
    found = read(ONE + TWO, VARIANTS + MORE)
    one, two = found.experiments.to_pylist()
    assert (one["starts_on"], one["ends_on"], one["training_scope"]) == (
        dt.date(2026, 11, 2),
        dt.date(2026, 11, 30),
        "own",
    )
    assert (two["ends_on"], two["markets"], two["fewest_heard"], two["training_scope"]) == (None, None, 0, "shared")
    assert (two["guardrail_metrics"], two["guardrail_margin"]) == (None, 0.02)
    assert [row["variant_id"] for row in found.variants.to_pylist()] == ["none", "some", "control", "wide"]


def test_nothing_declared_is_no_experiment() -> None:
    found = read("", "")
    assert (found.experiments.schema, found.experiments.num_rows) == (EXPERIMENTS_SCHEMA, 0)
    assert (found.variants.schema, found.variants.num_rows) == (VARIANTS_SCHEMA, 0)


def test_what_a_manifest_keeps_and_what_is_written_from_it_are_the_declaration() -> None:
    found = read(ONE + TWO, VARIANTS + MORE)
    again = declarations_of(declared_rows(found))
    assert again == found
    assert read_declarations(("e", as_csv(again.experiments)), ("v", as_csv(again.variants))) == found


def of(row: str, **values: str) -> str:
    """The row with some values exchanged."""
    names = EXPERIMENTS_SCHEMA.names if row.count(",") > 6 else VARIANTS_SCHEMA.names
    return ",".join(values.get(name, value) for name, value in zip(names, row.strip().split(","), strict=True)) + "\n"


FIRST, SECOND = VARIANTS.splitlines()


@pytest.mark.parametrize(
    ("experiments", "variants", "message"),
    [
        (of(ONE, experiment_id="My test"), VARIANTS, r"experiments.csv: row 2, column experiment_id: 'My test'; use"),
        (of(ONE, layer=""), VARIANTS, "row 2, column layer: ''; it can't be empty"),
        (of(ONE, first_bucket="half"), VARIANTS, "column first_bucket: 'half'; it has to be a whole number"),
        (of(ONE, last_bucket="10000"), VARIANTS, "column last_bucket: '10000'; it has to be from 0 to 9999"),
        (of(ONE, first_bucket="5000"), VARIANTS, "row 2, column last_bucket: 4999; it comes before 5000"),
        (of(ONE, starts_on="2026-11-03"), VARIANTS, "column starts_on: '2026-11-03'; it is a Tuesday"),
        (of(ONE, starts_on="soon"), VARIANTS, "column starts_on: 'soon'; it has to be a Monday"),
        (of(ONE, ends_on="2026-10-26"), VARIANTS, "column ends_on: 2026-10-26; it comes before 2026-11-02"),
        (of(ONE, markets="DE| SE"), VARIANTS, "column markets: ' SE'; give markets as"),
        (of(ONE, training_scope="mine"), VARIANTS, "column training_scope: 'mine'; it has to be shared or own"),
        (of(ONE, planned_listeners=""), VARIANTS, "column planned_listeners: ''; it can't be empty"),
        (of(ONE, guardrail_metrics="skips"), VARIANTS, "column guardrail_metrics: 'skips'; known: skip_rate"),
        (ONE.replace(",0.05", ""), VARIANTS, "row 2: it has to have 12 values"),
        (ONE + ONE, VARIANTS, "row 3, column experiment_id: 'explore' is there already, in experiments.csv: row 2"),
        (ONE, FIRST, "row 2, column experiment_id: 'explore' has 1 variants in variants.csv"),
        (ONE, VARIANTS + MORE, "variants.csv: row 4, column experiment_id: 'wide' is not declared in experiments.csv"),
        (ONE, f"{FIRST}\n{of(SECOND, weight='0.4')}", "column weight: the weights of experiment 'explore' sum to 0.9"),
        (ONE, f"{FIRST}\n{of(SECOND, weight='much')}", "row 3, column weight: 'much'; it has to be a number"),
        (ONE, f"{FIRST}\n{of(SECOND, weight='nan')}", "row 3, column weight: 'nan'; it has to be from"),
        (ONE, f"{FIRST}\n{of(SECOND, is_control='true')}", "column is_control: experiment 'explore' has 2 controls"),
        (ONE, f"{FIRST}\n{of(SECOND, is_control='yes')}", "column is_control: 'yes'; it has to be true or false"),
        (ONE, f"{FIRST}\n{of(SECOND, variant_id='none')}", "row 3, column variant_id: 'none' is there already"),
        (ONE, f"{FIRST}\n{of(SECOND, parameters='slots')}", "row 3, column parameters: 'slots'; it has to be section"),
        (ONE + of(TWO, first_bucket="4999"), VARIANTS + MORE, "row 3, column first_bucket: 4999; bucket 4999 of layer"),
        (
            ONE + of(TWO, layer="other"),
            VARIANTS + MORE.replace("rules.tracks_per_artist=1", "exploration.slot_share=1"),
            "row 3, column layer: 'other' changes exploration.slot_share, and so does experiment 'explore'",
        ),
        (
            ONE + of(TWO, layer="other", training_scope="own"),
            VARIANTS + MORE,
            "row 3, column training_scope: 'own', and so has experiment 'explore'",
        ),
    ],
)
def test_what_cannot_be_is_named_by_file_row_column_and_value(experiments: str, variants: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(experiments, variants)


def test_experiments_in_other_weeks_may_have_the_same_buckets_and_settings() -> None:
    later = of(TWO, first_bucket="0", last_bucket="9999", starts_on="2026-12-07")
    assert read(ONE + later, VARIANTS + MORE).experiments.num_rows == 2


def test_other_columns_than_there_are_is_an_error() -> None:
    with pytest.raises(InputError, match=r"experiments.csv: its columns are 'experiment_id,layer'; they have to be"):
        read_declarations(("experiments.csv", "experiment_id,layer\n"), ("variants.csv", VARIANTS_HEAD))


def test_settings_are_numbers_truths_and_words() -> None:
    text = " exploration.slot_share = 0.1;ranker.learned=false; exploration.policy=uniform ;"
    expected = {"exploration": {"slot_share": 0.1, "policy": "uniform"}, "ranker": {"learned": False}}
    assert parse_settings(text, "here") == expected
    assert parse_settings(None, "here") == {}
    with pytest.raises(InputError, match=r"here: 'a\.b' is there twice"):
        parse_settings("a.b=1;a.b=2", "here")
