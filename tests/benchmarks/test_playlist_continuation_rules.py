"""Which rules are on in what is tried, and recall and nDCG against the archive's truth."""

import datetime as dt
from dataclasses import astuple

import numpy as np
import pyarrow as pa
import pytest

from models_ml.assembly import AssemblyParams
from models_ml.exploration.arms import Arms, Exploration
from models_ml.exploration.params import ExplorationParams
from tests.benchmarks.playlist_continuation_rules import ALL, ALL_BUT, ALONE, NO_RULE, RULES, TRIED, left_to_chance
from tests.benchmarks.playlist_continuation_truth import History, Monday
from tests.benchmarks.rules import NONE, SINGLE, only

NOTHING = np.array([], dtype=np.int64)


def test_all_rules_are_the_rules_as_they_are_set() -> None:
    own = AssemblyParams(tracks_per_artist=1, new_artist_share=0.7, deep_candidate_count=100)
    assert only(own, TRIED[ALL]) == own
    assert only(AssemblyParams(), TRIED[NO_RULE]) == NONE


@pytest.mark.parametrize("rule", SINGLE)
def test_a_rule_alone_and_all_but_it_differ_from_none_and_all_by_that_rule(rule: str) -> None:
    own = AssemblyParams()
    for name, otherwise in ((ALONE + rule, NONE), (ALL_BUT + rule, own)):
        tried = only(own, TRIED[name])
        assert sum(a != b for a, b in zip(astuple(tried), astuple(otherwise), strict=True)) == 1
        assert getattr(tried, rule) != getattr(otherwise, rule)


def test_only_what_is_among_the_rules_is_left_to_chance() -> None:
    params = ExplorationParams(slot_share=0.2, softmax_listener_share=0.3)
    arms = Arms(pa.array(["nothing_special"]), NOTHING, pa.array(["everyone"]), np.ones((1, 1)))
    exploration = Exploration(arms, np.ones(1, dtype=bool), np.zeros(1, dtype=np.uint64), params)
    assert left_to_chance(exploration, SINGLE) is None
    assert left_to_chance(None, RULES) is None
    for rules, shares in ((RULES, (0.2, 0.3)), (["slot_share"], (0.2, 0.0)), (["softmax_listener_share"], (0.0, 0.3))):
        left = left_to_chance(exploration, rules)
        assert left is not None
        assert (left.params.slot_share, left.params.softmax_listener_share) == shares


def test_recall_counts_hits_and_ndcg_counts_those_near_the_top_for_more() -> None:
    never = NOTHING.astype(np.float64)
    history = History(NOTHING, NOTHING, never, never, NOTHING, (3, 10))
    # Of the first playlist's three tracks two are recordings of the features; the third playlist added nothing.
    wanted = np.array([3, 1, 0])
    truth = np.array([0, 0, 1]), np.array([4, 7, 2])
    monday = Monday(dt.date(2021, 2, 15), pa.array(["a", "b", "c"]), history, wanted, wanted, 0 * wanted, *truth)
    lists = np.array([[4, 1, 7], [4, 7, -1], [4, 7, 2]])
    np.testing.assert_allclose(monday.recall(lists), [2 / 3, 0.0, np.nan])
    best = 1 / np.log2(2) + 1 / np.log2(3) + 1 / np.log2(4)
    np.testing.assert_allclose(monday.ndcg(lists), [(1 / np.log2(2) + 1 / np.log2(4)) / best, 0.0, np.nan])
    assert monday.ndcg(lists[:, ::-1])[0] == monday.ndcg(lists)[0], "the same hits, the other way round"
    assert monday.ndcg(lists[:, [0, 2, 1]])[0] > monday.ndcg(lists)[0]
