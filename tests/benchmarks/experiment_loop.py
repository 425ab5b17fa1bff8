"""An experiment played through: no exploration, slots for arms that are chosen, slots drawn at random; read in SQL.

Run: .venv/bin/python -m tests.benchmarks.experiment_loop --keep FOLDER        (--seeds, --weeks, --listeners for less)
Belongs here: the declaration, playing the weeks, the tables. Does not: reading experiments (the warehouse), simulated
ones (experiments.py), policies in worlds of their own (exploration.py).

A world a seed, without sound, its listeners in three variants; they react to each Monday's lists before the next. The
list of the last Monday reads the reactions to all before it. With --keep, a loop that was broken off goes on with the
first Monday it lacks, and seeds may be played by several processes and read by one that finds them played.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.experiments_io import FILES
from dagster_project.home import Home
from models_ml.arrays import Floats
from models_ml.demo_world.size import WorldSize
from models_ml.experiments.declarations import EXPERIMENTS_SCHEMA, VARIANTS_SCHEMA
from tests.benchmarks.exploration import CONFIG, LAST_WEEK, measured, play_through, print_table

RESULTS = """
select
    one.variant_id, metric, control.listeners + one.listeners, control.mean, one.mean,
    one.lift, one.ci_low, one.ci_high, one.p_value, one.variance_left, one.sample_ratio_p
from experiment_results as one
inner join experiment_results as control using (week, experiment_id, metric)
where one.week = $week and control.is_control and not one.is_control
order by one.variant_id, metric
"""
EXPERIMENT = "explore-10"
SHARE = "exploration.slot_share"
VARIANTS = {
    "none": f"{SHARE}=0; exploration.softmax_listener_share=0",
    "chosen": f"{SHARE}=0.1",
    # Every arm, and within an arm every track the rules allow, as likely as another.
    "random": f"{SHARE}=0.1; exploration.policy=uniform; exploration.temperature=100; exploration.exposure_weight=0"
    "; exploration.new_to_listener=false",
}
WEIGHTS = (0.34, 0.33, 0.33)


def main() -> None:
    """Play every world and print what its last Monday reads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(range(201, 211)))
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--listeners", type=int, default=3_000)
    parser.add_argument("--tracks", type=int, default=5_000)
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="experiment_loop_"))
    size = WorldSize(options.listeners, LAST_WEEK, options.tracks, weeks=options.weeks, sound=False)
    found: dict[str, list[Floats]] = {name: [] for name in VARIANTS}
    print(
        "| world | variant | metric | listeners | mean of none | mean | lift by CUPED | interval | p, one look "
        f"| variance left | sample ratio p |\n|{'---|' * 11}"
    )
    for seed in options.seeds:
        home = Home((folder / f"world-{seed}").resolve())
        declare(home, size)
        play_through(home, size, CONFIG, seed)
        print_results(home, seed)
        for name in VARIANTS:
            found[name].append(measured(home, size, f"{EXPERIMENT}:{name}"))
    print()
    print_table({name: np.array(rows) for name, rows in found.items()})
    if not options.keep:
        shutil.rmtree(folder)


def declare(home: Home, size: WorldSize) -> None:
    """From the first Monday on, a third each; each third's arms learn from its own lists."""
    home.prepare()
    rates = "skip_rate|retention_30d,0.02"
    experiment = f"{EXPERIMENT},exploration,0,9999,{size.mondays[0]},,,,own,{size.listeners},{rates}"
    variants = "\n".join(
        f"{EXPERIMENT},{name},{weight},{str(name == 'none').lower()},{settings}"
        for (name, settings), weight in zip(VARIANTS.items(), WEIGHTS, strict=True)
    )
    for name, schema, rows in zip(FILES, (EXPERIMENTS_SCHEMA, VARIANTS_SCHEMA), (experiment, variants), strict=True):
        (home.root / name).write_text(f"{','.join(schema.names)}\n{rows}\n", encoding="utf-8")


def print_results(home: Home, seed: int) -> None:
    """A row a metric, as of the last Monday."""
    with duckdb.connect(str(home.published), read_only=True) as connection:
        rows = connection.execute(RESULTS, {"week": LAST_WEEK}).fetchall()
    for variant, metric, listeners, *numbers in rows:
        mean, other, lift, low, high, p, left, ratio = (np.nan if value is None else value for value in numbers)
        print(
            f"| {seed} | {variant} | {metric} | {listeners} | {mean:.4f} | {other:.4f} "
            f"| {lift:+.4f} | {low:+.4f} to {high:+.4f} | {p:.3f} | {left:.2f} | {ratio:.3f} |"
        )


if __name__ == "__main__":
    main()
