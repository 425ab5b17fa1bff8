"""Off-policy evaluation's tables: the slots and outcomes of a week as logged lists, and its estimates as rows.

Belongs here: reading, joining and leaving out, the table of estimates. Does not: policies, estimators.
"""

import datetime as dt
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints, column, in_range, strings
from models_ml.assembly import PLAYLIST_LENGTH
from models_ml.errors import InputError
from models_ml.exploration.arms import EVERYONE
from models_ml.off_policy.estimates import Estimate, estimate, estimates
from models_ml.off_policy.estimators import ESTIMATORS
from models_ml.off_policy.logged import ListRewards, LoggedLists
from models_ml.off_policy.params import OffPolicyParams
from models_ml.off_policy.policies import POLICIES

REWARDS: Final = ("completed", "saved", "skipped_early")
SLOT_COLUMNS: Final = (
    "user_index",
    "position",
    "segment",
    "arm_id",
    "open_arms",
    "open_arm_chances",
    "draw_number",
)
POSTERIOR_COLUMNS: Final = ("variant_id", "segment", "arm_id", "alpha", "beta")
OFF_POLICY_SCHEMA = pa.schema(
    [
        ("as_of_week", pa.date32()),
        ("policy", pa.string()),
        ("estimator", pa.string()),
        ("reward", pa.string()),
        ("value", pa.float64()),
        ("ci_low", pa.float64()),
        ("ci_high", pa.float64()),
        ("difference", pa.float64()),
        ("difference_ci_low", pa.float64()),
        ("difference_ci_high", pa.float64()),
        ("lists", pa.int64()),
        ("effective_sample_size", pa.float64()),
        ("support", pa.float64()),
        ("status", pa.string()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True)
class LoggedWeek:
    """The lists of one week that had slots left to chance, and what came of them by the name of the reward.

    user_id: whose list each is, ascending.  left_out: lists that had lost a slot since, or whose listener is gone.
    """

    user_id: pa.Array
    logged: LoggedLists
    rewards: dict[str, ListRewards]
    left_out: int

    def judged(
        self, policy: Callable[[LoggedLists], Floats], reward: str, estimator: str, params: OffPolicyParams
    ) -> Estimate:
        """What lists bring under a policy, and how much more than these did; see estimates.estimate.

        policy: one of POLICIES, or any function of the logged lists to (n, D, A), such as by_settings of others.
        """
        return estimate(self.logged, policy(self.logged), self.rewards[reward], estimator, params)


def read_logged_week(
    slots: pa.Table,
    listeners: pa.Array,
    policies: pa.Array,
    arm_posteriors: pa.Table,
    outcomes: pa.Table,
    listeners_since: pa.Array,
) -> LoggedWeek:
    """What was logged of one week's lists.

    slots, arm_posteriors: of that week, listeners: its user ids, policies: the variant_id of arm_posteriors that each
    listener's list was drawn by.  outcomes: slot_outcomes of a later week, those of the lists of that week alone, with
    listeners_since, the user ids of the later week.
    Raises InputError where nothing was left to chance, nothing is known since, or a value can't be used.
    """
    user, draw = _numbers(slots, "user_index", len(listeners)), _draw_numbers(slots)
    explored = strings(slots, "playlist_slots", "arm_id").is_valid().to_numpy(zero_copy_only=False)
    if not explored.any():
        raise InputError("playlist_slots: no list had a slot left to chance")
    if not outcomes.num_rows:
        raise InputError("slot_outcomes: nothing is known of the lists of that week")
    users, row = np.unique(user, return_inverse=True)
    since = pc.fill_null(pc.index_in(listeners.take(pa.array(users)), listeners_since), -1).to_numpy(
        zero_copy_only=False
    )
    exploring = np.bincount(row, explored, minlength=len(users)) > 0
    # What is taken down after the draw takes its number with it: which arm had it is not known any more.
    whole = np.bincount(row, draw > 0, minlength=len(users)) == PLAYLIST_LENGTH
    kept = exploring & whole & (since >= 0)
    chosen = kept[row]
    place = (np.cumsum(kept) - 1)[row[chosen]]
    rewards = _rewards(slots.filter(pa.array(chosen)), place, since[kept], outcomes, explored[chosen], draw[chosen])
    draws = slots.filter(pa.array(chosen & explored))
    logged = _logged(draws, place[explored[chosen]], users[kept], policies, arm_posteriors)
    return LoggedWeek(listeners.take(pa.array(users[kept])), logged, rewards, int((exploring & ~kept).sum()))


def off_policy_table(week: LoggedWeek, as_of: dt.date, params: OffPolicyParams) -> pa.Table:
    """One row per policy, estimator and reward, sorted by them."""
    rewards, names, rows = [week.rewards[name] for name in REWARDS], sorted(ESTIMATORS), []
    for policy in sorted(POLICIES):
        found = estimates(week.logged, POLICIES[policy](week.logged), rewards, names, params)
        of = itertools.product(names, REWARDS)
        rows += [(as_of, policy, *pair, *_cells(each)) for pair, each in zip(of, found, strict=True)]  # schema's order
    columns = zip(*rows, strict=True)
    return pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, OFF_POLICY_SCHEMA, strict=True)],
        schema=OFF_POLICY_SCHEMA,
    )


def _cells(found: Estimate) -> tuple[float | int | str | None, ...]:
    return (
        found.value,
        found.low,
        found.high,
        found.difference,
        found.difference_low,
        found.difference_high,
        found.lists,
        found.effective_lists,
        found.support,
        found.status,
        found.reason,
    )


def _numbers(table: pa.Table, name: str, count: int, lowest: int = 0) -> Ints:
    numbers = column(table, "playlist_slots", name, np.int64)
    in_range(numbers, count, "playlist_slots", name, lowest)
    return numbers


def _draw_numbers(slots: pa.Table) -> Ints:
    """(s,) which draw each slot was, from 1; 0 for what was filled in since."""
    filled = pc.fill_null(slots["draw_number"], 0)
    return _numbers(pa.table({"draw_number": filled}), "draw_number", PLAYLIST_LENGTH + 1)


def _logged(explored: pa.Table, place: Ints, users: Ints, policies: pa.Array, arm_posteriors: pa.Table) -> LoggedLists:
    """The draws for arms.  place: (s,) list of each, users: (n,) whose lists they are, policies: of every listener."""
    names = pc.unique(strings(arm_posteriors, "arm_posteriors", "arm_id")).sort()
    draw = _draw_numbers(explored) - 1
    shape = (len(users), int(draw.max(initial=-1)) + 1)
    arm = np.full(shape, -1)
    arm[place, draw] = _arms(explored["arm_id"], names)
    chance = np.zeros((*shape, len(names)))
    open_arms, chances = (explored[name].combine_chunks() for name in ("open_arms", "open_arm_chances"))
    parent = pc.list_parent_indices(open_arms).to_numpy()
    chance[place[parent], draw[parent], _arms(pc.list_flatten(open_arms), names)] = pc.list_flatten(chances).to_numpy()
    segments = pc.unique(strings(arm_posteriors, "arm_posteriors", "segment")).sort()
    everyone = segments.index(EVERYONE).as_py()
    of_list = np.full(len(users), everyone)
    told = pc.fill_null(pc.index_in(strings(explored, "playlist_slots", "segment"), segments), everyone)
    of_list[place] = told.to_numpy(zero_copy_only=False)
    known = pc.unique(strings(arm_posteriors, "arm_posteriors", "variant_id")).sort()
    at = _policy_of(policies.take(pa.array(users)), known), of_list
    alpha, beta = (_posterior(arm_posteriors, (known, segments, names), name)[at] for name in ("alpha", "beta"))
    return LoggedLists(tuple(names.to_pylist()), users, arm, chance, alpha, beta)


def _policy_of(told: pa.Array, known: pa.Array) -> Ints:
    """(n,) place of each list's policy among those that arm_posteriors knows."""
    found = np.asarray(pc.fill_null(pc.index_in(told, known), -1).to_numpy(zero_copy_only=False), dtype=np.int64)
    if (found < 0).any():
        policy = told[int(np.flatnonzero(found < 0)[0])].as_py()
        raise InputError(f"arm_posteriors: no row of variant_id {policy!r}, by which lists of the same week were drawn")
    return found


def _arms(told: pa.Array | pa.ChunkedArray, names: pa.Array) -> Ints:
    found = np.asarray(pc.fill_null(pc.index_in(told, names), -1).to_numpy(), dtype=np.int64)
    if (found < 0).any():
        arm = told[int(np.flatnonzero(found < 0)[0])].as_py()
        raise InputError(f"playlist_slots: arm_id is {arm!r}, of which arm_posteriors of the same week has none")
    return found


def _posterior(table: pa.Table, known: tuple[pa.Array, pa.Array, pa.Array], value: str) -> Floats:
    """(p, g, A) one number of each policy, segment and arm.  known: their names, in this order.

    Raises InputError where there is none, or where two rows say one.
    """
    keys = zip(("variant_id", "segment", "arm_id"), known, strict=True)
    of = tuple(pc.index_in(table[key], names).to_numpy() for key, names in keys)
    found, rows = np.full([len(names) for names in known], np.nan), np.zeros([len(names) for names in known], np.int64)
    found[of] = column(table, "arm_posteriors", value, np.float64)
    np.add.at(rows, of, 1)
    for wrong, says in ((rows > 1, "several rows"), (np.isnan(found), f"no {value}")):
        if wrong.any():
            policy, segment, arm = (names[int(at)] for names, at in zip(known, np.argwhere(wrong)[0], strict=True))
            named = f"segment {segment} and arm_id {arm} by variant_id {policy}"
            raise InputError(f"arm_posteriors: {says} of {named}; there has to be one")
    return found


def _rewards(
    slots: pa.Table, place: Ints, since: Ints, outcomes: pa.Table, explored: Bools, draw: Ints
) -> dict[str, ListRewards]:
    """What came of the slots of whole lists.  since: (n,) their listeners' positions in the later week."""
    user = column(outcomes, "slot_outcomes", "user_index", np.int64)
    of_list = np.full(int(max(user.max(), since.max(initial=0))) + 1, -1)
    of_list[since] = np.arange(len(since))
    theirs = of_list[user] >= 0
    at = of_list[user[theirs]], column(outcomes, "slot_outcomes", "position", np.int64)[theirs] - 1
    position = _numbers(slots, "position", PLAYLIST_LENGTH + 1, lowest=1) - 1
    draws = int(draw[explored].max(initial=0))
    rewards = {}
    for name in REWARDS:
        seen = np.zeros((len(since), PLAYLIST_LENGTH))
        seen[at] = column(outcomes, "slot_outcomes", name, np.bool_)[theirs]
        drawn = np.zeros((len(since), draws))
        drawn[place[explored], draw[explored] - 1] = seen[place[explored], position[explored]]
        rewards[name] = ListRewards(drawn, seen.sum(axis=1) - drawn.sum(axis=1))
    return rewards
