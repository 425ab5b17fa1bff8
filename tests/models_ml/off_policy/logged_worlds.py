"""Logged lists of listeners whose ways are known, for the tests and the benchmark of off-policy evaluation.

Belongs here: how arms are drawn, how listeners behave, what a policy brings in truth. Does not: estimators.

Three draws and five other slots. Draws are heard in their order, then the others; where a world has it the other way,
the last draw is heard first: then what becomes of a draw can depend on later ones.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from models_ml.arrays import Floats, Ints
from models_ml.exploration.uniforms import chosen_by
from models_ml.off_policy.logged import ListRewards, LoggedLists
from models_ml.off_policy.policies import POLICIES

ARMS: Final = ("genre:jazz", "genre:soul", "new_artist", "nothing_special")
DRAWS, OTHERS = 3, 5
# Of two segments: chance of each arm when lists are logged, and of its track being completed.
CHANCE = np.array([[0.15, 0.10, 0.20, 0.55], [0.30, 0.30, 0.10, 0.30]])
WORTH = np.array([[0.30, 0.15, 0.40, 0.55], [0.60, 0.45, 0.10, 0.30]])
OTHER_WORTH = 0.5
# What was thought of the arms: right of the first segment, wrong of the second.
EXPECTED = np.array([[0.3, 0.2, 0.4, 0.5], [0.4, 0.5, 0.2, 0.3]])
KNOWN_BY = 100.0
CLOSED_SHARE = 0.1


@dataclass(frozen=True)
class World:
    """How listeners behave.

    staying: chance of hearing on after each slot, whatever it was.  leaving: chance of leaving after one not completed.
    mood: times the chance of a slot after one that was completed, and its inverse after another.
    tiring: times the chance of a draw for each draw of its arm heard before, and of other slots for each such draw.
    backwards: the last draw is heard first.  holds: estimators that are right here, by what they assume.
    """

    name: str
    holds: tuple[str, ...]
    staying: float = 1.0
    leaving: float = 0.0
    mood: float = 1.0
    tiring: float = 1.0
    backwards: bool = False


ALL = ("item_position_ips", "self_normalised_ips", "reward_interaction_ips", "cascade_dr", "list_ips")
IN_ORDER = ALL[2:]
WORLDS = (
    World("independent", ALL),
    World("cascade", ALL, staying=0.9),
    World("cascade, each colours the next", IN_ORDER, staying=0.95, mood=1.5),
    World("satiation, heard in another order", ALL[4:], tiring=0.3, backwards=True),
    World("leaving early, heard in another order", ALL[4:], leaving=0.6, backwards=True),
)


def listeners_of(world: World, count: int, seed: int, policy: str = "logging") -> tuple[LoggedLists, ListRewards]:
    """So many lists, one a listener, drawn by a policy, and what came of them.

    The lists' chance is always that of logging: with another policy only the rewards are of use.
    """
    random = np.random.default_rng(seed)
    segment, keenness = random.integers(0, 2, count), random.choice([0.6, 1.0, 1.3], count)
    offered = np.repeat(CHANCE[segment][:, None], DRAWS, axis=1)
    # Now and then an arm has nothing left.
    closed = random.random((count, DRAWS)) < CLOSED_SHARE
    offered[..., 0] = np.where(closed, 0.0, offered[..., 0])
    chance = offered / offered.sum(axis=2, keepdims=True)
    posterior = KNOWN_BY * EXPECTED[segment], KNOWN_BY * (1.0 - EXPECTED[segment])
    logged = LoggedLists(ARMS, np.arange(count), np.full((count, DRAWS), -1), chance, *posterior)
    target = POLICIES[policy](logged)
    arm = np.stack([chosen_by(target[:, draw], random.random(count))[0] for draw in range(DRAWS)], axis=1)
    rewards = _heard(world, arm, segment, keenness, random)
    return replace(logged, arm=arm), rewards


def truth(world: World, policy: str, seed: int = 9, blocks: int = 20, count: int = 100_000) -> float:
    """What a list brings under a policy: the mean of two million lists drawn by it."""
    totals = [listeners_of(world, count, seed * 1000 + block, policy)[1].total.mean() for block in range(blocks)]
    return float(np.mean(totals))


def _heard(world: World, arm: Ints, segment: Ints, keenness: Floats, random: np.random.Generator) -> ListRewards:
    """Slot by slot in the order heard."""
    count = len(arm)
    drawn, rest = np.zeros((count, DRAWS)), np.zeros(count)
    there, mood, before = np.ones(count, dtype=bool), np.ones(count), np.zeros((count, len(ARMS)))
    rows, repeats = np.arange(count), np.zeros(count)
    order = [*(range(DRAWS - 1, -1, -1) if world.backwards else range(DRAWS)), *[None] * OTHERS]
    for draw in order:
        if draw is None:
            worth = OTHER_WORTH * world.tiring ** (repeats / DRAWS)
        else:
            again = before[rows, arm[:, draw]]
            worth, repeats = WORTH[segment, arm[:, draw]] * world.tiring**again, repeats + again
            before[rows, arm[:, draw]] += 1
        completed = there & (random.random(count) < np.minimum(worth * keenness * mood, 1.0))
        if draw is None:
            rest += completed
        else:
            drawn[:, draw] = completed
        mood = np.where(completed, world.mood, 1.0 / world.mood)
        there &= random.random(count) < np.where(completed, 1.0, 1.0 - world.leaving) * world.staying
    return ListRewards(drawn, rest)
