"""How good the demo world's lists are: beside baselines, and beside the tastes the world was made from.

Run: .venv/bin/python -m tests.benchmarks.demo_quality --listeners 20000 --weeks 3
Belongs here: Mondays of a demo world, their evaluation, and the same evaluation of a list that knows the truth.
Does not: metrics and baselines (models_ml/evaluation).

The latent list is that of demo_truth.py. What comes of it is chance on top of that, so no list that doesn't know the
future gets far beyond it.
"""

import argparse
import datetime as dt
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from dagster_project.assets.evaluation import what_was_given
from dagster_project.cli import this_monday
from dagster_project.cli_run import run_week
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from models_ml.demo_world import WorldParams, WorldSize, write_world
from models_ml.eligibility import forbidden
from models_ml.evaluation.report import evaluate
from models_ml.features import WeekFeatures
from tests.benchmarks.demo_truth import LatentTastes

LISTED = 30
_BLOCK = 512
_METRICS = ("recall", "ndcg", "hit_rate")


def main() -> None:
    """Run the Mondays and print one table a scored week."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listeners", type=int, default=20_000)
    parser.add_argument("--weeks", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="folder to work in and leave; default a temporary one")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="demo_quality_"))
    home, last = Home(folder.resolve()), this_monday()
    home.prepare()
    size = WorldSize(listeners=options.listeners, weeks=options.weeks, last_week=last)
    write_world(home.landing, home.root / "truth", size, WorldParams(), 7)
    home.config_file.write_text("[evaluation]\nwindow_weeks = 1\n", encoding="utf-8")
    for week in size.mondays:
        if not home.manifest(week).exists():
            assert run_week(home, week), "the run failed"
    for week in size.mondays[1:]:
        _print(_scored(home, week), week)
    if not options.keep:
        shutil.rmtree(folder)


def _scored(home: Home, week: dt.date) -> pa.Table:
    as_of = week - dt.timedelta(weeks=1)
    lake, settings = Lake(home.lake), load_configuration([home.config_file]).evaluation
    features, lists = what_was_given(home, as_of)
    lists = {**lists, "latent": _latent_lists(features, home, as_of)}
    columns = ["user_id", "recording_id", "kept", "via_own_playlist"]
    return evaluate(features, lists, lake.read_week("features/evaluation_truth", week, columns), as_of, settings, 0)


def _latent_lists(features: WeekFeatures, home: Home, as_of: dt.date) -> pa.Table:
    """The thirty that the world's own tastes would choose, of what each listener may be given."""
    latent = LatentTastes.of(home, as_of, features.user_id)
    rows = []
    for start in range(0, len(latent.listeners), _BLOCK):
        listeners = latent.listeners[start : start + _BLOCK]
        rows.append(_best_allowed(features, listeners, latent.scores(start, start + _BLOCK)))
    return pa.concat_tables(rows)


def _best_allowed(features: WeekFeatures, listeners: np.ndarray, best: np.ndarray) -> pa.Table:
    best[forbidden(features, listeners)] = -np.inf
    top = np.argsort(-best, axis=1, kind="stable")[:, :LISTED]
    users = features.user_id.take(pa.array(np.repeat(listeners, LISTED)))
    ids = features.recordings.recording_id.take(pa.array(top.ravel()))
    positions = np.tile(np.arange(1, LISTED + 1, dtype=np.int32), len(listeners))
    return pa.table({"user_id": users, "position": positions, "recording_id": ids})


def _print(scored: pa.Table, week: dt.date) -> None:
    rows = [row for row in scored.to_pylist() if row["segment"] == "all" and row["k"] == LISTED]
    for protocol in ("kept", "first_listens"):
        mine = {(row["model"], row["metric"]): row for row in rows if row["protocol_id"] == protocol}
        if not mine:
            continue
        print(f"\nLists of {week - dt.timedelta(weeks=1)}, truth until {week}, {protocol}\n")
        print("| model | " + " | ".join(f"{metric}@{LISTED}" for metric in _METRICS) + " | share of latent recall |")
        print("|---" * (len(_METRICS) + 2) + "|")
        models = sorted({model for model, _ in mine}, key=lambda model: -mine[model, "recall"]["value"])
        for model in models:
            cells = [_cell(mine[model, metric]) for metric in _METRICS]
            share = mine[model, "recall"]["value"] / mine["latent", "recall"]["value"]
            print(f"| {model} | {' | '.join(cells)} | {share:.2f} |", flush=True)
        print(f"\n{mine[models[0], 'recall']['listeners']:,} listeners")


def _cell(row: dict[str, float]) -> str:
    return f"{row['value']:.4f} ({row['ci_low']:.4f} to {row['ci_high']:.4f})"


if __name__ == "__main__":
    main()
