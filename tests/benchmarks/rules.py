"""What each rule of a playlist costs and gives, on the same candidates.

Run: .venv/bin/python -m tests.benchmarks.rules        (--seeds for some of it)
Belongs here: the rules that are tried, making lists by them, the table for demo worlds. Does not: the rules, running
the world (demo_weeks.py), the playlist archive (playlist_continuation_rules.py).

The worlds of demo_weeks.py, without sound. The lists of W are made anew from its candidates, each rule alone, then all
together, then calibration by its weight, of genres and of popularity, and held against what listeners first heard in
the four weeks after.
"""

import argparse
import datetime as dt
import shutil
import sys
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from dagster_project.assets.playlists import PlaylistInputs, playlist_inputs, week_calibration
from dagster_project.configuration import Configuration, load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.table_schemas import CANDIDATES
from models_ml.arrays import Floats, place_in_row
from models_ml.assembly import PLAYLIST_LENGTH, AssemblyParams
from models_ml.demo_world import WorldParams
from models_ml.evaluation.bootstrap import mean_interval, ratio_of_means
from models_ml.evaluation.metrics import list_metrics
from models_ml.playlist_tables import PlaylistTables
from models_ml.playlists import build_playlists
from tests.benchmarks.demo_weeks import RELEASED_SHARE, SEEDS, WEEK, World, run_world

DEFAULTS = AssemblyParams()
UNPULLED = replace(DEFAULTS, popularity_calibration_weight=0.0)
NONE = replace(
    UNPULLED,
    tracks_per_artist=PLAYLIST_LENGTH,
    tracks_per_album=PLAYLIST_LENGTH,
    new_artist_share=0.0,
    new_release_slots=0,
    calibration_weight=0.0,
)
SINGLE = (
    "tracks_per_artist",
    "tracks_per_album",
    "new_artist_share",
    "new_release_slots",
    "calibration_weight",
    "popularity_calibration_weight",
)
WEIGHTS = (0.0, 0.2, 0.4, 0.8, 1.6)
AGAINST = ("no rule", "all, calibration 0", "all, calibration 0.8")


def only(rules: AssemblyParams, names: Collection[str]) -> AssemblyParams:
    """These of the rules, the others of SINGLE off."""
    return replace(rules, **{name: getattr(NONE, name) for name in SINGLE if name not in names})


TRIED = {
    "no rule": NONE,
    **{f"{name} alone": only(DEFAULTS, [name]) for name in SINGLE},
    **{f"all, calibration {weight:g}": replace(UNPULLED, calibration_weight=weight) for weight in WEIGHTS},
    **{f"all, popularity {weight:g}": replace(DEFAULTS, popularity_calibration_weight=weight) for weight in WEIGHTS},
}


def main() -> None:
    """Run the worlds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--only", default="", help="rules whose names begin so, beside what they are held against")
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="rules_"))
    tried = {name: rules for name, rules in TRIED.items() if name.startswith(options.only) or name in AGAINST}
    found: dict[str, list[dict[str, Floats]]] = {name: [] for name in tried}
    for seed in options.seeds:
        home = Home((folder / f"rules-{seed}").resolve())
        world = run_world(home, WorldParams(released_in_history_share=RELEASED_SHARE), seed, sound=False)
        lake = Lake(home.lake)
        # Chance is no rule: slots for arms are what exploration.py measures.
        inputs = replace(week_inputs(lake, WEEK, load_configuration([home.config_file])), exploration=None)
        for name, rules in tried.items():
            print(f"seed {seed}: {name}", file=sys.stderr, flush=True)
            found[name].append(_measured(world, remade(lake, WEEK, inputs, rules), rules))
        if not options.keep:
            shutil.rmtree(home.root)
    _print({name: {key: np.concatenate([one[key] for one in each]) for key in each[0]} for name, each in found.items()})


def week_inputs(lake: Lake, week: dt.date, settings: Configuration) -> PlaylistInputs:
    """What the week's lists were made from; of what is kept beside lists nothing is made again.

    Raises ValueError where an experiment ran in the week.
    """
    (inputs,) = playlist_inputs(lake, week, settings).inputs
    nobody = np.zeros_like(inputs.ablated)
    return replace(inputs, ablated=nobody, learning=replace(inputs.learning, logged=nobody))


def remade(lake: Lake, week: dt.date, inputs: PlaylistInputs, rules: AssemblyParams) -> PlaylistTables:
    """The week's lists made anew from its candidates by these rules."""
    calibration = week_calibration(lake, week, inputs.calibration.genres, rules)
    ruled = replace(inputs, params=replace(inputs.params, assembly=rules), calibration=calibration)
    return build_playlists(ruled.maker(), lake.batches(CANDIDATES, week, inputs.params.candidates.block_listeners))


def best_first(slots: pa.Table) -> pa.Table:
    """The slots of each list by score, not as they are heard."""
    return slots.take(np.lexsort((-slots["final_score"].to_numpy(), slots["user_index"].to_numpy())))


def _measured(world: World, made: PlaylistTables, rules: AssemblyParams) -> dict[str, Floats]:
    """(n,) of each listener: nDCG and recall, NaN without truth or list; distances, the least; new artists; head."""
    features, slots, mixes = world.features, best_first(made.slots), made.mixes
    owner = slots["user_index"].to_numpy()
    lists = np.full((features.listener_count, PLAYLIST_LENGTH), -1)
    lists[owner, place_in_row(owner)] = slots["recording_index"].to_numpy()
    everyone = np.arange(features.listener_count)
    listed = np.isin(everyone, owner)
    metrics = list_metrics(lists, world.truth(everyone), PLAYLIST_LENGTH, np.zeros(features.recording_count))
    measured = {name: np.where(listed, metrics[name], np.nan) for name in ("ndcg", "recall")}
    for name in ("genre_kl", "genre_kl_least", "popularity_kl", "popularity_kl_least"):
        measured[name] = np.full(len(everyone), np.nan)
        measured[name][mixes["user_index"].to_numpy()] = mixes[name].to_numpy(zero_copy_only=False)
    new = np.bincount(owner, slots["is_new_artist"].to_numpy(zero_copy_only=False), minlength=len(everyone))
    is_head = slots["popularity_percentile"].to_numpy() >= rules.popularity_head_from
    head = np.bincount(owner, is_head, minlength=len(everyone))
    shares = {"new_artists": new, "head": head}
    return {**measured, **{name: np.where(listed, of / PLAYLIST_LENGTH, np.nan) for name, of in shares.items()}}


def _print(found: dict[str, dict[str, Floats]]) -> None:
    base, uncalibrated = found["no rule"], found["all, calibration 0"]
    print(
        "| rules | nDCG@30 | of no rule's | recall@30 | genre distance | of uncalibrated | least | popularity distance "
        "| least | of the head | by new artists |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name, of in found.items():
        ndcg, share = mean_interval(of["ndcg"], 0), ratio_of_means(of["ndcg"], base["ndcg"], 0)
        kl = np.nanmean(of["genre_kl"])
        print(
            f"| {name} | {ndcg.mean:.4f} ({ndcg.low:.4f} to {ndcg.high:.4f}) "
            f"| {share.mean:.3f} ({share.low:.3f} to {share.high:.3f}) | {np.nanmean(of['recall']):.4f} "
            f"| {kl:.3f} | {kl / np.nanmean(uncalibrated['genre_kl']):.2f} | {np.nanmean(of['genre_kl_least']):.3f} "
            f"| {np.nanmean(of['popularity_kl']):.3f} | {np.nanmean(of['popularity_kl_least']):.3f} "
            f"| {np.nanmean(of['head']):.3f} | {np.nanmean(of['new_artists']):.3f} |",
            flush=True,
        )
    cost = ratio_of_means(found["all, calibration 0.8"]["ndcg"], uncalibrated["ndcg"], 0)
    print(f"\nnDCG with calibration against without: {cost.mean:.3f} ({cost.low:.3f} to {cost.high:.3f})")


if __name__ == "__main__":
    main()
