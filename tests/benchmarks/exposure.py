"""What the weight on exposure within an arm gives and costs: lists of one Monday made anew under several.

Run: .venv/bin/python -m tests.benchmarks.exposure HOME        (a world that tests.benchmarks.ranker kept)
Belongs here: the weights, the table. Does not: the draw (models_ml/exploration), running a world (ranker.py).

The second Monday of the home, after a week of lists. Gini is of that Monday's lists over the catalogue; skips are those
the world expects. Without listeners all of whose slots are drawn by softmax.
"""

import argparse
import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np

from dagster_project.assets.playlists import PlaylistInputs, playlist_inputs
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.table_schemas import CANDIDATES
from models_ml.demo_world.reaction_files import expected_skips
from models_ml.evaluation.metrics import catalogue_metrics
from models_ml.exploration.params import ExplorationParams
from models_ml.playlists import build_playlists
from tests.benchmarks.demo_weeks import WEEK
from tests.benchmarks.ranker import PARAMS
from tests.benchmarks.reliability import given_lists

_WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("home", type=Path, help="a world that tests.benchmarks.ranker kept")
    parser.add_argument("--week", type=dt.date.fromisoformat, default=WEEK - dt.timedelta(weeks=3))
    options = parser.parse_args()
    home = Home(options.home.resolve())
    settings = load_configuration([home.config_file])
    (of,) = playlist_inputs(Lake(home.lake), options.week, settings).inputs
    print(f"| slots for arms | weight | gini | recordings given | skips |\n|{'---|' * 5}")
    print(f"| none | | {_row(home, options.week, replace(of, exploration=None))}")
    for weight in _WEIGHTS:
        params = ExplorationParams(exposure_weight=weight, softmax_listener_share=0.0)
        exploration = of.exploration and replace(of.exploration, params=params)
        print(f"| a tenth | {weight:g} | {_row(home, options.week, replace(of, exploration=exploration))}", flush=True)


def _row(home: Home, week: dt.date, of: PlaylistInputs) -> str:
    block = load_configuration([home.config_file]).candidates.block_listeners
    slots = build_playlists(of.maker(), Lake(home.lake).batches(CANDIDATES, week, block)).slots
    lists = slots["recording_index"].to_numpy().reshape(-1, 30)
    gini = catalogue_metrics(lists, 30, of.features.recording_count)["gini"]
    given = given_lists(home, of.features, slots, week)
    skips = expected_skips(home.landing, home.root / "truth", *given, week, PARAMS)
    return f"{gini:.4f} | {len(np.unique(lists)):,} | {np.mean(list(skips.values())):.4f} |"


if __name__ == "__main__":
    main()
