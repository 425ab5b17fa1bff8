"""The demo: a small world, its Mondays, what listeners make of them, and one listener's playlist.

Belongs here: the order of these steps. Does not: making the world and its people (models_ml/demo_world).
"""

import datetime as dt
import sys
from pathlib import Path

from dagster_project.cli_queries import show_playlist, typical_listener
from dagster_project.cli_run import run_week
from dagster_project.home import Home
from dagster_project.lake import Lake
from models_ml.demo_world.params import WorldParams, read_world_params
from models_ml.demo_world.reaction_files import write_reactions
from models_ml.demo_world.size import WorldSize
from models_ml.demo_world.world import write_world
from models_ml.errors import InputError

SLOT_COLUMNS = ["user_id", "position", "playlist_id", "track_id", "is_new_artist"]
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
        week = last_week - dt.timedelta(weeks=weeks - 1 - number)
        if not run_week(home, week):
            return 1
        # What becomes of the last lists has yet to happen.
        if week < last_week:
            react(home, week, params, seed)
    print(show_playlist(home, typical_listener(home, last_week), last_week))
    return 0


def react(home: Home, week: dt.date, params: WorldParams, seed: int) -> None:
    """Let the world's listeners react to the lists of a Monday: events until the next one, landed as any others."""
    lake = Lake(home.lake)
    report = write_reactions(
        home.landing,
        home.root / "truth",
        lake.read_week("marts/weekly_playlist_tracks", week, SLOT_COLUMNS),
        lake.read_week("marts/weekly_playlists", week, ["user_id", "available_at"]),
        week,
        params,
        seed,
    )
    if report.was_there:
        _say(f"what became of the lists of {week} had landed before")
    else:
        _say(f"{report.opened} listeners opened their list, {report.left} left; {report.events} events landed")


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr)
