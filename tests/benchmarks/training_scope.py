"""What shared feedback hides: a variant that explores more teaches the one it is compared with.

Run: .venv/bin/python -m tests.benchmarks.training_scope
Belongs here: simulated arms, two variants, the table. Does not: arms of the pipeline (models_ml/exploration),
from which the chances come.

Each list of one variant has one slot for arms, of the other six. An arm's chance of being heard to the end is unknown
and learnt by Thompson sampling. What is compared is how often a slot for arms is heard to the end, over all
weeks: truth is the difference between a service where everyone has the one and a service where everyone has the other.
"""

from dataclasses import dataclass

import numpy as np

from models_ml.arrays import Floats
from models_ml.exploration.chances import best_arm_chances

ARMS, WEEKS, LISTENERS = 8, 12, 40
FEW, MANY = 1, 6


@dataclass(frozen=True)
class Lifts:
    """Mean lift of the variant with more slots, and its standard error, over simulations."""

    truth: tuple[float, float]
    own: tuple[float, float]
    shared: tuple[float, float]


def lifts(simulations: int = 400, seed: int = 0) -> Lifts:
    """The lift in each simulation, as it is and as experiments with either scope see it."""
    random = np.random.default_rng(seed)
    worth = random.beta(2.0, 3.0, (simulations, ARMS))
    alone = [_rates(random, worth, [(slots, LISTENERS)], is_shared=False)[0] for slots in (FEW, MANY)]
    halves = [(FEW, LISTENERS // 2), (MANY, LISTENERS // 2)]
    found = {"truth": alone[1] - alone[0]}
    for name, is_shared in (("own", False), ("shared", True)):
        few, many = _rates(random, worth, halves, is_shared=is_shared)
        found[name] = many - few
    return Lifts(**{name: (of.mean(), of.std(ddof=1) / np.sqrt(simulations)) for name, of in found.items()})


def _rates(
    random: np.random.Generator, worth: Floats, variants: list[tuple[int, int]], *, is_shared: bool
) -> list[Floats]:
    """(simulations,) rewards a slot of each variant (slots, listeners) over the weeks."""
    shape = (len(variants), *worth.shape)
    alpha, beta = np.ones(shape), np.ones(shape)
    rewards, pulls = np.zeros(shape[:2]), np.zeros(shape[:2])
    for _ in range(WEEKS):
        seen, won = np.zeros(shape), np.zeros(shape)
        for place, (slots, listeners) in enumerate(variants):
            chance = best_arm_chances(alpha[place], beta[place])
            chance = chance / chance.sum(axis=1, keepdims=True)
            seen[place] = random.multinomial(slots * listeners, chance)
            won[place] = random.binomial(seen[place].astype(int), worth)
        rewards, pulls = rewards + won.sum(axis=2), pulls + seen.sum(axis=2)
        if is_shared:
            seen, won = (np.broadcast_to(of.sum(axis=0), shape) for of in (seen, won))
        alpha, beta = alpha + won, beta + seen - won
    return list(rewards / pulls)


def main() -> None:
    """Print the three lifts."""
    found = lifts()
    print("| lift of the variant with more slots | mean | standard error |\n|---|---|---|")
    for name, (mean, error) in vars(found).items():
        print(f"| {name} | {mean:+.4f} | {error:.4f} |")


if __name__ == "__main__":
    main()
