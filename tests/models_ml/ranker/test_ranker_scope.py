"""Tests of rankers that are learnt from the lists of one variant, and of the table that holds several."""

from dataclasses import replace
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from ranker_examples import as_table, drawn_examples, drawn_values

from models_ml.errors import InputError
from models_ml.experiments.groups import CONTROL
from models_ml.ranker.examples import made_under, read_examples
from models_ml.ranker.params import RankerParams
from models_ml.ranker.tables import RANKER_SCHEMA, Ranker, read_ranker
from models_ml.ranker.training import learn

PARAMS = RankerParams(minimum_positives=100, most_trees=20)
VALUES = drawn_values(np.random.default_rng(3), 200)


@cache
def ranker(seed: int) -> Ranker:
    found = learn(drawn_examples(seed, count=3000), PARAMS, seed=3).ranker
    assert found is not None
    return found


def scores(found: Ranker | None) -> np.ndarray:
    assert found is not None
    return np.sum(list(found.contributions(VALUES).values()), axis=0)


def test_examples_are_those_of_lists_made_under_the_very_variant_alone_or_beside_others():
    told = (None, "a:more", "a:more,b:x", "b:x,a:more", "a:moreover", "aa:more", "a:control", "")
    table = pa.concat_tables([as_table(drawn_examples(seed, count=2), each) for seed, each in enumerate(told)])
    assert made_under(table, "a:more")["variant_id"].to_pylist() == np.repeat(told[1:4], 2).tolist()
    assert made_under(table, "b:x")["variant_id"].to_pylist() == np.repeat(told[2:4], 2).tolist()
    assert made_under(table, "a:gone").num_rows == 0
    assert made_under(table, CONTROL).equals(table), "everyone's are those of all lists, as with arms"
    assert made_under(table.slice(0, 0), "a:more").num_rows == 0


def test_from_a_monday_that_was_rehearsed_every_policy_learns():
    theirs, others = as_table(drawn_examples(1, count=3), "a:more"), as_table(drawn_examples(2, count=3), "a:control")
    examples = drawn_examples(3, count=3)
    rehearsed = as_table(replace(examples, is_rehearsed=np.ones(3, dtype=bool)))
    table = pa.concat_tables([theirs, others, rehearsed])
    assert made_under(table, "a:more").equals(pa.concat_tables([theirs, rehearsed]))
    assert made_under(table, CONTROL).equals(table)


def test_examples_of_before_lists_said_their_variants_are_everyones_and_nobody_elses():
    table = as_table(drawn_examples(count=20)).drop_columns(["variant_id"])
    assert len(read_examples(made_under(table, CONTROL)).week) == 20
    with pytest.raises(InputError, match="ranking_examples: column variant_id is missing"):
        made_under(table, "a:more")


def test_rankers_in_one_table_come_back_each_as_it_was():
    table = pa.concat_tables([ranker(1).to_table(), ranker(2).to_table("a:more")])
    assert table.schema == RANKER_SCHEMA
    assert (scores(read_ranker(table)) == scores(ranker(1))).all()
    assert (scores(read_ranker(table, "a:more")) == scores(ranker(2))).all()
    assert read_ranker(table, "a:control") is None


def test_a_table_of_before_rankers_were_told_apart_holds_the_one_that_made_all_lists():
    older = ranker(1).to_table().drop_columns(["variant_id"])
    for policy in (CONTROL, "a:more"):
        assert (scores(read_ranker(older, policy)) == scores(ranker(1))).all()
    empty = RANKER_SCHEMA.empty_table()
    assert read_ranker(empty, "a:more") is read_ranker(empty.drop_columns(["variant_id"]), "a:more") is None
