"""Logged lists out of a week's tables: who counts, which draw is which slot, what is left out."""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models_ml.errors import InputError
from models_ml.off_policy.estimates import NOT_IDENTIFIABLE
from models_ml.off_policy.params import OffPolicyParams
from models_ml.off_policy.policies import uniform
from models_ml.off_policy.tables import OFF_POLICY_SCHEMA, LoggedWeek, off_policy_table, read_logged_week
from models_ml.playlist_tables import SLOTS_SCHEMA

USERS, SINCE = pa.array(["a", "b", "c"]), pa.array(["a", "aa", "c"])
ARMS = ("new_artist", "nothing_special")
SLOT = {name: SLOTS_SCHEMA.field(name).type for name in ("user_index", "position", "segment", "arm_id", "draw_number")}
SLOT |= {name: SLOTS_SCHEMA.field(name).type for name in ("open_arms", "open_arm_chances")}
AS_OF = dt.date(2026, 11, 2)


def slots_of(lists: dict[int, list[str]], segment: str = "jazz") -> list[dict[str, Any]]:
    """Lists heard in the opposite order of their draws, the first of which went to arms."""
    return [
        {
            "user_index": user,
            "position": 31 - draw,
            "draw_number": draw,
            **(
                {
                    "segment": segment,
                    "arm_id": arms[draw - 1],
                    "open_arms": list(ARMS),
                    "open_arm_chances": [0.25, 0.75],
                }
                if draw <= len(arms)
                else {}
            ),
        }
        for user, arms in lists.items()
        for draw in range(30, 0, -1)
    ]


def outcomes_of(users: list[int], completed: set[tuple[int, int]]) -> pa.Table:
    rows = [
        {
            "user_index": user,
            "position": position,
            "completed": (user, position) in completed,
            "saved": False,
            "skipped_early": (user, position) not in completed,
        }
        for user in users
        for position in range(1, 31)
    ]
    return pa.Table.from_pylist(rows)


POSTERIORS = pa.table(
    {
        "variant_id": ["control"] * 4,
        "segment": ["everyone", "everyone", "jazz", "jazz"],
        "arm_id": ["nothing_special", "new_artist"] * 2,
        "alpha": [1.0, 2.0, 3.0, 4.0],
        "beta": [5.0, 6.0, 7.0, 8.0],
    }
)


def week_of(
    rows: list[dict[str, Any]],
    outcomes: pa.Table | None = None,
    posteriors: pa.Table = POSTERIORS,
    policies: tuple[str, ...] = ("control",) * 3,
) -> LoggedWeek:
    outcomes = outcomes_of([0, 1, 2], set()) if outcomes is None else outcomes
    slots = pa.Table.from_pylist(rows, pa.schema(SLOT))
    return read_logged_week(slots, USERS, pa.array(policies), posteriors, outcomes, SINCE)


TWO = slots_of({0: ["new_artist", "nothing_special"], 2: ["nothing_special", "nothing_special"]})


def test_rewards_are_those_of_the_draw_wherever_it_was_heard_and_of_the_same_listener():
    # Draws 1 and 2 are heard last; of the later week, listener 2 is the third, and 1 is somebody else.
    week = week_of(TWO, outcomes_of([0, 1, 2], {(0, 30), (0, 7), (1, 1), (2, 29), (2, 1), (2, 2)}))
    assert week.user_id.to_pylist() == ["a", "c"]
    assert week.rewards["completed"].drawn.tolist() == [[1, 0], [0, 1]]
    assert week.rewards["completed"].rest.tolist() == [1, 2]
    assert week.rewards["saved"].total.tolist() == [0, 0]
    assert week.rewards["skipped_early"].total.tolist() == [28, 27]


def test_arms_chances_and_what_was_known_are_those_of_the_list():
    logged = week_of(TWO).logged
    assert logged.arm_names == ARMS
    assert logged.arm.tolist() == [[0, 1], [1, 1]]
    assert logged.chance.tolist() == [[[0.25, 0.75]] * 2] * 2
    assert logged.alpha.tolist() == [[4.0, 3.0]] * 2
    assert logged.beta.tolist() == [[8.0, 7.0]] * 2
    assert week_of(slots_of({0: ["new_artist"]}, segment="gone")).logged.alpha.tolist() == [[2.0, 1.0]]


def test_a_list_is_judged_by_what_the_policy_that_drew_it_knew():
    own = POSTERIORS.set_column(0, "variant_id", pa.array(["a:more"] * 4)).set_column(
        POSTERIORS.column_names.index("alpha"), "alpha", pa.array([10.0, 20.0, 30.0, 40.0])
    )
    for both in (pa.concat_tables([POSTERIORS, own]), pa.concat_tables([own, POSTERIORS])):
        logged = week_of(TWO, posteriors=both, policies=("a:more", "a:more", "control")).logged
        assert logged.alpha.tolist() == [[40.0, 30.0], [4.0, 3.0]]
        assert logged.beta.tolist() == [[8.0, 7.0]] * 2
        assert week_of(TWO, posteriors=both).logged.alpha.tolist() == [[4.0, 3.0]] * 2


def test_a_policy_without_posteriors_and_one_told_twice_are_errors_that_name_it():
    with pytest.raises(InputError, match="arm_posteriors: no row of variant_id 'a:more', by which lists"):
        week_of(TWO, policies=("control", "control", "a:more"))
    twice = pa.concat_tables([POSTERIORS, POSTERIORS[2:3]])
    with pytest.raises(
        InputError, match="several rows of segment jazz and arm_id nothing_special by variant_id control"
    ):
        week_of(TWO, posteriors=twice)


def test_lists_without_chance_without_a_slot_and_of_who_is_gone_are_left_out():
    refilled = slots_of({2: ["new_artist", "new_artist"]})
    refilled[-1] |= dict.fromkeys(("segment", "arm_id", "open_arms", "open_arm_chances", "draw_number"))
    gone, plain = slots_of({1: ["new_artist"]}), slots_of({2: []})
    first = slots_of({0: ["new_artist"]})
    assert (week_of(first + gone + refilled).left_out, week_of(first + gone + refilled).user_id.to_pylist()) == (
        2,
        ["a"],
    )
    assert (week_of(first + plain).left_out, week_of(first + plain).user_id.to_pylist()) == (0, ["a"])
    short = slots_of({0: ["new_artist"]})[1:]
    assert (week_of(short + refilled).left_out, len(week_of(short + refilled).user_id)) == (2, 0)


def test_nothing_to_judge_and_what_cannot_be_used_are_errors_that_say_so():
    with pytest.raises(InputError, match="no list had a slot left to chance"):
        week_of(slots_of({0: []}))
    with pytest.raises(InputError, match="nothing is known of the lists of that week"):
        week_of(TWO, outcomes_of([0], set())[:0])
    with pytest.raises(InputError, match="arm_id is 'genre:x', of which arm_posteriors"):
        week_of(slots_of({0: ["genre:x"]}))
    with pytest.raises(InputError, match="no alpha of segment jazz and arm_id new_artist"):
        week_of(TWO, posteriors=POSTERIORS[:3])


def test_the_table_has_a_row_of_each_and_no_number_where_there_are_too_few_lists():
    table = off_policy_table(week_of(TWO), AS_OF, OffPolicyParams())
    assert table.schema == OFF_POLICY_SCHEMA
    keys = [tuple(row[name] for name in ("policy", "estimator", "reward")) for row in table.to_pylist()]
    assert keys == sorted(set(keys))
    assert len(keys) == 4 * 5 * 3
    assert set(table["status"].to_pylist()) == {NOT_IDENTIFIABLE}
    for name in ("value", "ci_low", "ci_high", "difference", "difference_ci_low", "difference_ci_high"):
        assert table[name].null_count == len(keys)
    assert set(table["lists"].to_pylist()) == {2}


def test_as_logged_the_table_gives_the_mean_of_what_came_of_the_lists():
    week = week_of(TWO, outcomes_of([0, 2], {(0, 30), (2, 1), (2, 2)}))
    rows = off_policy_table(week, AS_OF, OffPolicyParams(least_effective_lists=1.0)).to_pylist()
    of = {(row["policy"], row["estimator"], row["reward"]): row for row in rows}
    row = of["logging", "list_ips", "completed"]
    assert (row["value"], row["difference"], row["as_of_week"]) == (pytest.approx(1.5), pytest.approx(0), AS_OF)
    judged = week.judged(uniform, "completed", "item_position_ips", OffPolicyParams(least_effective_lists=1.0))
    assert of["uniform", "item_position_ips", "completed"]["value"] == judged.value == pytest.approx((2 + 2) / 2)


def test_the_order_of_the_rows_of_outcomes_changes_nothing():
    outcomes = outcomes_of([0, 1, 2], {(0, 30), (2, 29), (2, 4)})
    shuffled = outcomes.take(pa.array(np.random.default_rng(1).permutation(len(outcomes))))
    params = OffPolicyParams(least_effective_lists=1.0)
    assert off_policy_table(week_of(TWO, outcomes), AS_OF, params) == off_policy_table(
        week_of(TWO, shuffled), AS_OF, params
    )
