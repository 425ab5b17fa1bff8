"""How much nearer neighbours of a list lie in an order that flows, and what it does to best first.

Run: .venv/bin/python -m tests.benchmarks.flow        (--seeds for some of it)
Belongs here: the weights that are tried, the table. Does not: the order, running the world (demo_weeks.py).

The worlds of demo_weeks.py, with sound. The lists of W are put in order anew from its candidates, by sound and, as if
there was none, by vector. Rank correlation is Spearman's, of the order heard with that by score. CPU seconds are of
making all playlists, not only of their order.
"""

import argparse
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from dagster_project.assets.playlists import week_calibration, week_content, week_genres
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.table_schemas import CANDIDATES
from models_ml.arrays import Floats
from models_ml.assembly import PLAYLIST_LENGTH
from models_ml.demo_world import WorldParams
from models_ml.flow import ArrangementParams, Flow
from models_ml.playlists import PlaylistMaker, PlaylistParams, build_playlists
from tests.benchmarks.demo_weeks import RELEASED_SHARE, SEEDS, WEEK, World, run_world

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 2.0)
WAYS = ("sound", "vector")
MEASURED = ("gap", "correlation", "ten best", "CPU s")


def main() -> None:
    """Run the worlds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="flow_"))
    found: dict[tuple[str, float], list[dict[str, float]]] = {(way, weight): [] for way in WAYS for weight in WEIGHTS}
    for seed in options.seeds:
        home = Home((folder / f"as_is-{seed}").resolve())
        world = run_world(home, WorldParams(released_in_history_share=RELEASED_SHARE), seed)
        for (way, weight), measured in found.items():
            measured.append(_measured(world, way, weight))
        if not options.keep:
            shutil.rmtree(home.root)
    print("| by | flow_weight | distance | of best first | rank correlation | ten best in first ten | CPU s |")
    print("|---|---|---|---|---|---|---|")
    for (way, weight), measured in found.items():
        gap, correlation, best, seconds = (np.mean([one[name] for one in measured]) for name in MEASURED)
        of = gap / np.mean([one["gap"] for one in found[way, 0.0]])
        print(f"| {way} | {weight:g} | {gap:.3f} | {of:.2f} | {correlation:.3f} | {best:.3f} | {seconds:.1f} |")


def _measured(world: World, way: str, weight: float) -> dict[str, float]:
    lake, settings = Lake(world.home.lake), load_configuration([world.home.config_file])
    content = week_content(lake, WEEK, world.features)
    if way == "vector":
        content = replace(content, sounds=None)
    params = ArrangementParams(flow_weight=weight)
    calibration = week_calibration(lake, WEEK, week_genres(lake, WEEK, world.factors), settings.rules)
    started = time.process_time()
    how = PlaylistParams(settings.candidates, settings.ranking, settings.rules, settings.serving, params)
    maker = PlaylistMaker(world.features, world.factors, how, content, calibration)
    slots = build_playlists(maker, lake.batches(CANDIDATES, WEEK, settings.candidates.block_listeners)).slots
    seconds = time.process_time() - started
    recordings = slots["recording_index"].to_numpy().reshape(-1, PLAYLIST_LENGTH)
    gaps = Flow(world.factors.served, content.sounds, params).gaps(recordings)
    neighbours = gaps[:, np.arange(PLAYLIST_LENGTH - 1), np.arange(1, PLAYLIST_LENGTH)]
    rank = _by_score(slots["final_score"].to_numpy().reshape(-1, PLAYLIST_LENGTH))
    apart = ((rank - np.arange(PLAYLIST_LENGTH)) ** 2).sum(axis=1)
    return {
        "gap": float(neighbours.mean()),
        "correlation": float((1 - 6 * apart / (PLAYLIST_LENGTH * (PLAYLIST_LENGTH**2 - 1))).mean()),
        "ten best": float((rank[:, :10] < 10).mean()),
        "CPU s": seconds,
    }


def _by_score(scores: Floats) -> Floats:
    """(lists, 30) how many of a list have a higher score than each."""
    return np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1, kind="stable")


if __name__ == "__main__":
    main()
