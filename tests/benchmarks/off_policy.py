"""Off-policy estimates beside the truth: how far off, how wide, how often the interval holds it.

Run: .venv/bin/python -m tests.benchmarks.off_policy        (--repetitions, --lists for less of it)
Belongs here: repeating, counting, the tables. Does not: the worlds (tests/models_ml/off_policy/logged_worlds.py).

Each repetition logs other listeners; the truth is the mean of two million lists drawn by the target itself. In each
cell: bias, width of the interval, share of intervals that hold the truth; in bold where the estimator's assumption
doesn't hold.
"""

import argparse
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from models_ml.arrays import Floats
from models_ml.off_policy.estimates import Estimate, estimate
from models_ml.off_policy.params import OffPolicyParams
from models_ml.off_policy.policies import POLICIES
from tests.models_ml.off_policy.logged_worlds import ALL, WORLDS, World, listeners_of, truth

JUDGED = ("uniform", "greedy")
_SEEDS_A_WORLD = 10_000


def repeated(world: World, policy: str, lists: int, repetitions: int, first_seed: int) -> dict[str, list[Estimate]]:
    """Each estimator's estimates of so many repetitions."""
    found: dict[str, list[Estimate]] = {name: [] for name in ALL}
    for seed in range(first_seed, first_seed + repetitions):
        logged, reward = listeners_of(world, lists, seed)
        target = POLICIES[policy](logged)
        for name in ALL:
            found[name].append(estimate(logged, target, reward, name, OffPolicyParams()))
    return found


def beside_truth(given: list[Estimate], right: float, *, difference: bool) -> tuple[float, float, float, int]:
    """(bias, mean width, share of intervals that hold the truth, how many there are)."""
    of: Callable[[Estimate], tuple[float | None, ...]] = (
        (lambda one: (one.difference, one.difference_low, one.difference_high))
        if difference
        else (lambda one: (one.value, one.low, one.high))
    )
    numbers = [of(one) for one in given if one.value is not None]
    if not numbers:
        return float("nan"), float("nan"), float("nan"), 0
    value, low, high = np.array(numbers, dtype=np.float64).T
    holds = (low <= right) & (right <= high)
    return float(value.mean() - right), float((high - low).mean()), float(holds.mean()), len(numbers)


def _cell(world: World, name: str, numbers: tuple[float, float, float, int], effective: float) -> str:
    if not numbers[3]:
        return f"no number ({effective:.0f} effective)"
    text = f"{numbers[0]:+.3f} / {numbers[1]:.3f} / {numbers[2]:.3f}"
    return text if name in world.holds else f"**{text}**"


def _rows(number: int, lists: int, repetitions: int) -> list[tuple[str, str]]:
    """Rows of the two tables for one world: values, and differences from what was given."""
    world, rows = WORLDS[number], []
    as_logged = truth(world, "logging")
    for place, policy in enumerate(JUDGED):
        right = truth(world, policy)
        found = repeated(world, policy, lists, repetitions, (2 * number + place + 1) * _SEEDS_A_WORLD)
        tables = []
        for difference in (False, True):
            wanted = right - as_logged if difference else right
            effective: Floats = np.array([[one.effective_lists for one in found[name]] for name in ALL]).mean(axis=1)
            cells = [
                _cell(world, name, beside_truth(found[name], wanted, difference=difference), effective[column])
                for column, name in enumerate(ALL)
            ]
            tables.append(f"| {world.name} | {policy} | {wanted:.3f} | {' | '.join(cells)} |")
        rows.append((tables[0], tables[1]))
        print(f"{world.name}, {policy}: done", file=sys.stderr)
    return rows


def main() -> None:
    """Both tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--lists", type=int, default=6000)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with ThreadPoolExecutor(options.threads) as pool:
        made = pool.map(lambda number: _rows(number, options.lists, options.repetitions), range(len(WORLDS)))
        rows = [row for of_world in made for row in of_world]
    for title, place in (("value", 0), ("difference", 1)):
        print(f"\n| {title}: world | policy | truth | {' | '.join(ALL)} |\n|{'---|' * (len(ALL) + 3)}")
        print("\n".join(row[place] for row in rows))


if __name__ == "__main__":
    main()
