"""What candidates by taste modes bring, at the same number of candidates.

Run: .venv/bin/python -m tests.benchmarks.taste_modes        (--seeds for some of it)
Belongs here: the shares that are tried, the table. Does not: the modes, running the world (demo_weeks.py).

The worlds of demo_weeks.py, without sound. Candidates and lists of W are made anew by exact search. Recall is of what
listeners first heard in the four weeks after, among candidates, nDCG of the lists by score; both, and the distance of
genres, over listeners with several modes and a list. CPU seconds are of all candidates.
"""

import argparse
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from dagster_project.assets.playlists import week_calibration, week_content, week_genres
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from models_ml.arrays import Bools, Floats, place_in_row
from models_ml.assembly import PLAYLIST_LENGTH
from models_ml.candidates import CandidateParams, find_candidates
from models_ml.demo_world import WorldParams
from models_ml.evaluation.bootstrap import ratio_of_means
from models_ml.evaluation.metrics import list_metrics
from models_ml.playlists import PlaylistMaker, PlaylistParams, build_playlists
from models_ml.pools import from_batch
from models_ml.retrieval import ExactRetriever
from models_ml.taste_modes import TasteModeFinder
from tests.benchmarks.demo_weeks import RELEASED_SHARE, SEEDS, WEEK, World, run_world

DEFAULTS = CandidateParams()
TRIED = ((400, 0.0), (400, 0.1), (400, 0.25), (150, 0.0), (150, 0.25))


def main() -> None:
    """Run the worlds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="modes_"))
    found: dict[tuple[int, float], list[dict[str, Floats]]] = {tried: [] for tried in TRIED}
    for seed in options.seeds:
        home = Home((folder / f"rules-{seed}").resolve())
        world = run_world(home, WorldParams(released_in_history_share=RELEASED_SHARE), seed, sound=False)
        several = _several(world)
        for (count, share), measured in found.items():
            measured.append(_measured(world, several, count, share))
            print(f"seed {seed}: {count}, {share}", file=sys.stderr, flush=True)
        if not options.keep:
            shutil.rmtree(home.root)
    _print(
        {tried: {key: np.concatenate([one[key] for one in each]) for key in each[0]} for tried, each in found.items()}
    )


def _together(measured: list[dict[str, Floats]]) -> dict[str, Floats]:
    return {name: np.concatenate([one[name] for one in measured]) for name in measured[0]}


def _several(world: World) -> Bools:
    """(n,) True for listeners with more than one mode."""
    limits = (DEFAULTS.taste_mode_count, DEFAULTS.taste_mode_minimum_liked, DEFAULTS.taste_mode_minimum_gain)
    finder = TasteModeFinder(world.factors, world.features.interactions, *limits)
    return np.asarray((finder.of(np.arange(world.features.listener_count)).weight > 0).sum(axis=1) > 1)


def _measured(world: World, several: Bools, count: int, share: float) -> dict[str, Floats]:
    lake, settings = Lake(world.home.lake), load_configuration([world.home.config_file])
    features, factors = world.features, world.factors
    params = replace(settings.candidates, candidate_count=count, taste_mode_share=share)
    started = time.process_time()
    table = find_candidates(features, factors, ExactRetriever(factors.served, factors.retrievable), params).table
    seconds = time.process_time() - started
    batches = table.combine_chunks().to_batches(max_chunksize=params.block_listeners)
    maker = PlaylistMaker(
        features,
        factors,
        PlaylistParams(params, settings.ranking, settings.rules, settings.serving, settings.arrangement),
        week_content(lake, WEEK, features),
        week_calibration(lake, WEEK, week_genres(lake, WEEK, factors), settings.rules),
    )
    made = build_playlists(maker, batches)
    everyone = np.arange(features.listener_count)
    lists = np.full((len(everyone), PLAYLIST_LENGTH), -1)
    owner = made.slots["user_index"].to_numpy()
    order = np.lexsort((-made.slots["final_score"].to_numpy(), owner))
    lists[owner, place_in_row(owner)] = made.slots["recording_index"].to_numpy()[order]
    ndcg = list_metrics(lists, world.truth(everyone), PLAYLIST_LENGTH, np.zeros(features.recording_count))["ndcg"]
    distance = np.full(len(everyone), np.nan)
    distance[made.mixes["user_index"].to_numpy()] = made.mixes["genre_kl"].to_numpy(zero_copy_only=False)
    asked = several & np.isin(everyone, owner)
    of_asked = {"recall": _recall(world, batches)[asked], "ndcg": ndcg[asked], "distance": distance[asked]}
    return {**of_asked, "candidates": np.array([len(_pairs(batches)) / len(everyone)]), "seconds": np.array([seconds])}


def _pairs(batches: list) -> Floats:  # type: ignore[type-arg]
    """(c, 2) listener and recording of all candidates."""
    parts = [from_batch(batch) for batch in batches]
    return np.concatenate([np.stack([owners[pool.rows], pool.recordings], axis=1) for owners, pool in parts])


def _recall(world: World, batches: list) -> Floats:  # type: ignore[type-arg]
    """(n,) share of what each first heard that is among the candidates, NaN where there is nothing."""
    owner = np.repeat(np.arange(world.features.listener_count), np.diff(world.heard.indptr))
    pairs = _pairs(batches)
    hit = np.isin(owner * world.heard.width + world.heard.values, pairs[:, 0] * world.heard.width + pairs[:, 1])
    hits, all_of = (np.bincount(owner, part, minlength=world.features.listener_count) for part in (hit, None))
    return np.where(all_of > 0, hits / np.maximum(all_of, 1), np.nan)


def _print(found: dict[tuple[int, float], dict[str, Floats]]) -> None:
    print("| looked for | by modes | candidates | recall | of none | nDCG@30 | of none | genre distance | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (count, share), of in found.items():
        base = found[count, 0.0]
        recall, ndcg = (ratio_of_means(of[name], base[name], 0) for name in ("recall", "ndcg"))
        print(
            f"| {count} | {share:g} | {of['candidates'].mean():.0f} | {np.nanmean(of['recall']):.4f} "
            f"| {recall.mean:.3f} ({recall.low:.3f} to {recall.high:.3f}) | {np.nanmean(of['ndcg']):.4f} "
            f"| {ndcg.mean:.3f} ({ndcg.low:.3f} to {ndcg.high:.3f}) | {np.nanmean(of['distance']):.3f} "
            f"| {of['seconds'].mean():.1f} |",
            flush=True,
        )
    print(f"\nlisteners with several modes and a list: {len(found[TRIED[0]]['recall']):,}")


if __name__ == "__main__":
    main()
