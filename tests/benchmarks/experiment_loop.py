"""An experiment played through: exploration 0 against 0.1 on the same listeners, read to its end in SQL.

Run: .venv/bin/python -m tests.benchmarks.experiment_loop --keep FOLDER        (--seeds, --weeks, --listeners for less)
Belongs here: the declaration, playing the weeks, the table.
Does not: reading experiments (the warehouse), simulated ones (experiments.py).

A world a seed, without sound; listeners react to each Monday's lists before the next. The list of the last Monday reads
the reactions to all before it. With --keep, a loop that was broken off goes on with the first Monday it lacks.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import duckdb
import numpy as np

from dagster_project.experiments_io import FILES
from dagster_project.home import Home
from models_ml.demo_world.size import WorldSize
from models_ml.experiments.declarations import EXPERIMENTS_SCHEMA, VARIANTS_SCHEMA
from tests.benchmarks.exploration import LAST_WEEK, play_through

RESULTS = """
select
    metric, control.listeners + one.listeners, control.mean, one.mean, one.lift, one.ci_low, one.ci_high,
    one.p_value, one.variance_left, one.sample_ratio_p
from experiment_results as one
inner join experiment_results as control using (week, experiment_id, metric)
where one.week = $week and control.is_control and not one.is_control
order by metric
"""


def main() -> None:
    """Play every world and print what its last Monday reads."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", nargs="+", type=int, default=[201, 202, 203, 204, 205])
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--listeners", type=int, default=2_000)
    parser.add_argument("--tracks", type=int, default=5_000)
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="experiment_loop_"))
    size = WorldSize(options.listeners, LAST_WEEK, options.tracks, weeks=options.weeks, sound=False)
    print(
        "| world | metric | listeners | mean at 0 | mean at 0.1 | lift by CUPED | interval | p, one look "
        f"| variance left | sample ratio p |\n|{'---|' * 10}"
    )
    for seed in options.seeds:
        home = Home((folder / f"world-{seed}").resolve())
        declare(home, size)
        play_through(home, size, "", seed)
        print_results(home, seed)
    if not options.keep:
        shutil.rmtree(folder)


def declare(home: Home, size: WorldSize) -> None:
    """From the first Monday on, half and half; each half's arms learn from its own lists."""
    home.prepare()
    experiment = f"explore-10,exploration,0,9999,{size.mondays[0]},,,,own,{size.listeners},skip_rate|retention_30d,0.02"
    nothing = "exploration.slot_share=0; exploration.softmax_listener_share=0"
    variants = f"explore-10,none,0.5,true,{nothing}\nexplore-10,some,0.5,false,exploration.slot_share=0.1"
    for name, schema, rows in zip(FILES, (EXPERIMENTS_SCHEMA, VARIANTS_SCHEMA), (experiment, variants), strict=True):
        (home.root / name).write_text(f"{','.join(schema.names)}\n{rows}\n", encoding="utf-8")


def print_results(home: Home, seed: int) -> None:
    """A row a metric, as of the last Monday."""
    with duckdb.connect(str(home.published), read_only=True) as connection:
        rows = connection.execute(RESULTS, {"week": LAST_WEEK}).fetchall()
    for metric, listeners, *numbers in rows:
        mean, other, lift, low, high, p, left, ratio = (np.nan if value is None else value for value in numbers)
        print(
            f"| {seed} | {metric} | {listeners} | {mean:.4f} | {other:.4f} | {lift:+.4f} | {low:+.4f} to {high:+.4f} "
            f"| {p:.3f} | {left:.2f} | {ratio:.3f} |"
        )


if __name__ == "__main__":
    main()
