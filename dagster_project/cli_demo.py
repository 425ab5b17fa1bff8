"""The demo: a small world, its Mondays, and one listener's playlist.

Belongs here: the order of these steps. Does not: making the world (models_ml/demo_world).
"""

import datetime as dt
import sys
from pathlib import Path

from dagster_project.cli_queries import show_playlist, typical_listener
from dagster_project.cli_run import run_week
from dagster_project.home import Home
from models_ml.demo_world.params import WorldParams, read_world_params
from models_ml.demo_world.size import WorldSize
from models_ml.demo_world.world import write_world
from models_ml.errors import InputError

DEMO_CONFIG = """# Written by the demo.

# Exercised here; at this size exact search would be as quick.
[retrieval]
engine = "usearch"

# Three Mondays then score the lists of two.
[evaluation]
window_weeks = 1

# Enough to hear genres apart; the defaults learn longer, in a larger network.
[sound_model]
epochs = 6
warm_epochs = 2
channels = 32
crop_frames = 96
"""


def run_demo(home: Home, listeners: int, weeks: int, seed: int, world: Path | None, last_week: dt.date) -> int:
    """Write a world, run its Mondays in order, print a playlist. Returns the exit code."""
    if weeks < 1:
        raise InputError(f"--weeks is {weeks}; at least one Monday has to be run")
    home.prepare()
    params = read_world_params(world) if world else WorldParams()
    write_world(
        home.landing,
        home.root / "truth",
        WorldSize(listeners=listeners, weeks=weeks, last_week=last_week),
        params,
        seed,
        _say,
    )
    if not home.config_file.exists():
        home.config_file.write_text(DEMO_CONFIG, encoding="utf-8")
    for number in range(weeks):
        if not run_week(home, last_week - dt.timedelta(weeks=weeks - 1 - number)):
            return 1
    print(show_playlist(home, typical_listener(home, last_week), last_week))
    return 0


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr)
