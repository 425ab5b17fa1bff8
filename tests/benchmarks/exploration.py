"""What slots left to chance cost and give, in a loop that is closed: lists, reactions, the next lists.

Run: .venv/bin/python -m tests.benchmarks.exploration        (--seeds, --weeks, --listeners, --policies for less)
Belongs here: the policies that are tried, playing them through, the table. Does not: policies, how listeners react.

Worlds without sound. Each policy plays the same world from its first Monday on in a home of its own; listeners react
to each Monday's lists before the next. Without exploration, the first three draws of a list take the place of its slots
for arms: what the same number of slots gives when the best are taken.
"""

import argparse
import datetime as dt
import shutil
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
from scipy.stats import t as student

from dagster_project.cli_demo import react
from dagster_project.cli_run import run_week
from dagster_project.home import Home
from models_ml.arrays import Floats
from models_ml.demo_world.params import WorldParams
from models_ml.demo_world.reaction_truth import MOODS_FILE, week_folder
from models_ml.demo_world.size import WorldSize
from models_ml.demo_world.world import write_world
from models_ml.evaluation.metrics import catalogue_metrics
from models_ml.exploration.params import ExplorationParams

LAST_WEEK = dt.date(2026, 11, 23)
USUAL = WorldParams()
EXPLORE_DRAWS = round(ExplorationParams().slot_share * 30)
# Lists of weeks ago aren't scored: nothing here reads that. The score is the declared one: rankers learnt from so few
# listeners give popular tracks now more, now less, and part worlds more than what is tried.
CONFIG = "[evaluation]\nwindow_weeks = 520\n[ranker]\nlearned = false\n"
POLICIES = {
    "thompson": '[exploration]\npolicy = "thompson"\n',
    "uniform": '[exploration]\npolicy = "uniform"\n',
    # Within an arm too, every track that the rules allow as likely as another.
    "random": '[exploration]\npolicy = "uniform"\ntemperature = 100.0\nexposure_weight = 0.0\n',
    "none": "[exploration]\nslot_share = 0.0\n",
}
MEASURES = ("artist plays", "completed", "opened", "stayed", "gini")
# Artists whom a listener first met in one of the first draws, and how often they played them of their own accord then;
# a list that holds an artist twice counts once.
MET = """
with slots as (
    select week, user_id, artist_id, artist_organic_plays_28d as plays, reached_at, completed
    from weekly_playlist_tracks
    inner join playlist_slot_outcomes using (program_id, week, user_id, position)
    where draw_number <= $draws and ($variant is null or variant_id = $variant)
),
met as (
    select max(plays) as plays
    from slots
    inner join weekly_playlist_tracks using (week, user_id, artist_id)
    where is_new_artist
    group by week, user_id, artist_id
)
select
    1000.0 * (select sum(plays) from met) / count(*) as artist_plays,
    avg(completed::int) filter (where reached_at is not null) as completed
from slots
"""

ARMS = """
with drawn as (
    select week, arm_id, completed, reached_at
    from weekly_playlist_tracks
    inner join playlist_slot_outcomes using (program_id, week, user_id, position)
    where slot_kind = 'explore'
)
select
    week, arm_id, sum(1) / (select count(*) from drawn as every where every.week = drawn.week) as share,
    count(*), count(reached_at), coalesce(avg(completed::int) filter (where reached_at is not null), 0)
from drawn
group by week, arm_id
order by week, arm_id
"""


def main() -> None:
    """Play every policy through every world and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", nargs="+", type=int, default=[201, 202, 203, 204, 205])
    parser.add_argument("--policies", nargs="+", choices=list(POLICIES), default=list(POLICIES))
    parser.add_argument("--weeks", type=int, default=12)
    parser.add_argument("--listeners", type=int, default=2_000)
    parser.add_argument("--tracks", type=int, default=5_000)
    parser.add_argument("--novelty", type=float, default=0.0, help="listeners' mean love (1) or hate (-1) of the new")
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="exploration_"))
    size = WorldSize(options.listeners, LAST_WEEK, options.tracks, weeks=options.weeks, sound=False)
    found: dict[str, list[Floats]] = {name: [] for name in options.policies}
    for seed in options.seeds:
        for name in options.policies:
            home = Home((folder / f"{name}-{seed}").resolve())
            play_through(home, size, CONFIG + POLICIES[name], seed, WorldParams(novelty_mean=options.novelty))
            found[name].append(measured(home, size))
            print(f"{name} in world {seed}: {dict(zip(MEASURES, found[name][-1], strict=True))}", file=sys.stderr)
            print_arms(home, f"{name} in world {seed}")
    print_table({name: np.array(rows) for name, rows in found.items()})
    if not options.keep:
        shutil.rmtree(folder)


def play_through(home: Home, size: WorldSize, config: str, seed: int, world: WorldParams = USUAL) -> None:
    """Every Monday of a world under one policy."""
    home.prepare()
    write_world(home.landing, home.root / "truth", size, world, seed)
    home.config_file.write_text(config, encoding="utf-8")
    for week in size.mondays:
        if not home.manifest(week).exists() and not run_week(home, week):
            sys.exit(f"{home.root}: the run of {week} failed")
        if week < size.last_week:
            react(home, week, world, seed)


def measured(home: Home, size: WorldSize, variant: str | None = None) -> Floats:
    """The MEASURES of a world that was played through.  variant: of the lists made under it alone."""
    given = "from weekly_playlist_tracks where $variant is null or variant_id = $variant"
    with duckdb.connect(str(home.published), read_only=True) as connection:
        values = {"variant": variant}
        found = connection.execute(MET, {"draws": EXPLORE_DRAWS, **values}).fetchone() or (np.nan, np.nan)
        slots = connection.execute(f"select recording_id {given} order by week, user_id, position", values)
        recording = slots.fetchnumpy()["recording_id"].astype(str)
        listeners = connection.execute(f"select distinct user_id {given}", values).fetchnumpy()["user_id"]
    moods = pq.read_table(week_folder(home.root / "truth", size.mondays[-2]) / MOODS_FILE, partitioning=None)
    # Without variants of all, those whom nobody gives a list among them.
    is_one = np.isin(moods["user_id"].to_numpy(), listeners.astype(str)) | (variant is None)
    opened, gone = (moods[name].to_numpy()[is_one] for name in ("opened", "gone"))
    recordings, place = np.unique(recording, return_inverse=True)
    gini = catalogue_metrics(place.reshape(-1, 30), 30, max(len(recordings), size.track_count))["gini"]
    return np.array([*found, opened.mean(), 1 - gone.mean(), gini], dtype=np.float64)


def print_arms(home: Home, name: str) -> None:
    """What share of a week's draws each arm had, and what came of its slots that were reached."""
    with duckdb.connect(str(home.published), read_only=True) as connection:
        for row in connection.execute(ARMS).fetchall():
            print(
                "{}: {:%Y-%m-%d} {}: {:.3f} of the draws, {:,} slots, {:,} reached, {:.3f} completed".format(name, *row)
            )


def print_table(found: dict[str, Floats]) -> None:
    """Means over worlds, and how each policy differs from the first, with 95 % intervals by Student's t."""
    print(f"| policy | {' | '.join(MEASURES)} |\n|---|{'---|' * len(MEASURES)}")
    (first, compared), *others = found.items()
    print_row(first, compared)
    for name, rows in others:
        print_row(name, rows)
        print_row(f"{name} less {first}", rows - compared, "+")


def print_row(name: str, rows: Floats, sign: str = "") -> None:
    """rows: (worlds, measures).  An interval where there are two worlds or more."""
    cells = []
    for values in rows.T:
        told = f"{values.mean():{sign}.3f}"
        if len(values) > 1:
            half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
            told += f" ± {half:.3f}"
        cells.append(told)
    print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
