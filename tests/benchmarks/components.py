"""What each family of the score is worth on the dated playlist archive, by the evaluation's own code.

Run: .venv/bin/python -m tests.benchmarks.components [--keep DIR] [--mondays 8]
The Mondays, homes, overlay and truth of playlist_continuation.py: what a playlist adds within 28 days, of what some
playlist held before. Every model is scored on the same playlists and Mondays: each family of the score alone, all but
it, all together, what was published, and the evaluation's own baselines.
Belongs here: the evaluation over several Mondays, its tables. Does not: metrics (models_ml/evaluation), the Mondays.

Intervals of 95 % resample playlists with all their Mondays. recall is over all of the truth; that of
playlist_continuation.py is over what thirty places can hold of it.
"""

import argparse
import datetime as dt
import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from dagster_project.assets.evaluation import known_beside, what_was_given
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from models_ml.arrays import Floats, Ints
from models_ml.evaluation.ablation import ALONE, WITHOUT
from models_ml.evaluation.baselines import BASELINES
from models_ml.evaluation.beyond_accuracy import FACTS
from models_ml.evaluation.bootstrap import Interval, mean_interval, paired_difference
from models_ml.evaluation.comparisons import COMPARED, RANKED
from models_ml.evaluation.panels import Column, Panel
from models_ml.evaluation.report import KEPT, scored_panels
from models_ml.evaluation.segments import ALL
from tests.benchmarks.playlist_continuation import OVERLAY, REPORTED, SEED
from tests.benchmarks.playlist_continuation_ours import ARCHIVE, run_monday
from tests.benchmarks.playlist_continuation_truth import read_monday

LISTED = 30
SHOWN = ("ndcg", "recall", "average_precision")
OTHERS = tuple(metric for metric in COMPARED if metric not in SHOWN)


@dataclass(frozen=True)
class Scored:
    """One row per Monday and playlist with truth: the playlist, and each model's values by metric."""

    playlist: Ints
    values: dict[str, dict[str, Floats]]

    def mean(self, model: str, metric: str) -> Interval:
        """Over all rows."""
        return mean_interval(self.values[model][metric], SEED, clusters=self.playlist)

    def difference(self, model: str, metric: str) -> Interval:
        """To all families together."""
        values, together = self.values[model][metric], self.values[RANKED][metric]
        return paired_difference(values, together, SEED, clusters=self.playlist)


def main() -> None:
    """Run the Mondays, score them, print the tables."""
    parser = argparse.ArgumentParser(description="Families of the score on the playlist archive.")
    parser.add_argument("--keep", type=Path, help="folder to work in, and to go on in; default a temporary one")
    parser.add_argument("--mondays", type=int, default=len(REPORTED), help="the first so many of them")
    options = parser.parse_args()
    if not ARCHIVE.is_dir():
        raise SystemExit(f"{ARCHIVE}: not there; this benchmark needs the playlist archive")
    folder = (options.keep or Path(tempfile.mkdtemp(prefix="components_"))).resolve()
    weeks = REPORTED[: options.mondays]
    print(report(joined([scored(run_monday(folder, week, OVERLAY), week) for week in weeks]), weeks))
    if not options.keep:
        shutil.rmtree(folder)


def scored(home: Home, week: dt.date) -> tuple[pa.Array, dict[str, dict[str, Floats]]]:
    """(playlists with truth, each model's values by metric) of one Monday."""
    lake, settings = Lake(home.lake), load_configuration([home.config_file, OVERLAY])
    features, lists = what_was_given(home, week)
    beside = known_beside(lake, week, features, settings.serving)
    truth = truth_of(lake, week, features.recordings.recording_id)
    (whole, sample), *_ = (
        panels
        for _, panels in scored_panels(features, lists, truth, settings.evaluation, beside=beside)
        if panels[0].name == KEPT
    )
    if len(sample.rows) != len(whole.rows):
        raise SystemExit(f"{week}: {len(sample.rows)} of {len(whole.rows)} playlists have lists by family")
    values = {model: of_model(panel, model) for panel in (whole, sample) for model in panel.values}
    return features.user_id.take(pa.array(whole.listeners)), values


def truth_of(lake: Lake, week: dt.date, recording_id: pa.Array) -> pa.Table:
    """What the archive says that each playlist added next, as the evaluation's truth."""
    monday = read_monday(ARCHIVE, lake, week)
    playlist, recording = pa.array(monday.truth_playlist), pa.array(monday.truth_recording)
    count = len(playlist)
    return pa.table(
        {
            "user_id": monday.playlist_ids.take(playlist),
            "recording_id": recording_id.take(recording),
            "kept": np.ones(count, dtype=bool),
            "via_own_playlist": np.zeros(count, dtype=bool),
        }
    )


def of_model(panel: Panel, model: str) -> dict[str, Floats]:
    """One model's values by metric, at the longest cutoff."""
    return {metric: panel.values[model][:, panel.columns.index(Column(ALL, metric, LISTED))] for metric in COMPARED}


def joined(mondays: list[tuple[pa.Array, dict[str, dict[str, Floats]]]]) -> Scored:
    """All Mondays' rows; a family that was silent on one of them listed nothing there."""
    names = np.concatenate([np.array(playlists.to_pylist(), dtype=str) for playlists, _ in mondays])
    _, playlist = np.unique(names, return_inverse=True)
    values: dict[str, dict[str, Floats]] = defaultdict(dict)
    for model in sorted({model for _, of in mondays for model in of}):
        for metric in COMPARED:
            parts = [silent(of, model)[metric] for _, of in mondays]
            values[model][metric] = np.concatenate(parts)
    return Scored(playlist, dict(values))


def silent(of: dict[str, dict[str, Floats]], model: str) -> dict[str, Floats]:
    """A model's values; of a family without a say, those of empty lists alone and all together's left out."""
    if model in of or model.startswith(WITHOUT):
        return of.get(model, of[RANKED])
    nothing = {metric: np.nan if metric in FACTS else 0.0 for metric in COMPARED}
    return {metric: np.full_like(values, nothing[metric]) for metric, values in of[RANKED].items()}


def report(found: Scored, weeks: list[dt.date]) -> str:
    """The tables, in Markdown."""
    head = (
        f"Families of the score, {len(weeks)} Mondays {weeks[0]} to {weeks[-1]}, {len(found.playlist)} lists with "
        f"truth of {found.playlist.max() + 1} playlists, at {LISTED}."
    )
    families = sorted(model.removeprefix(ALONE) for model in found.values if model.startswith(ALONE))
    models = [RANKED, "published", *(ALONE + name for name in families), *(WITHOUT + name for name in families)]
    models += [name for name in BASELINES if name in found.values]
    lines = [head, "", f"| model | {' | '.join(SHOWN)} | ndcg less that of all together |", "|---" * 5 + "|"]
    for model in models:
        cells = [_cell(found.mean(model, metric)) for metric in SHOWN]
        change = "" if model == RANKED else _cell(found.difference(model, SHOWN[0]), "+")
        lines.append(f"| {model} | {' | '.join(cells)} | {change} |")
    lines += ["", f"| model | {' | '.join(OTHERS)} |", "|---" * (len(OTHERS) + 1) + "|"]
    for model in models:
        means = [found.mean(model, metric).mean for metric in OTHERS]
        lines.append(f"| {model} | {' | '.join('' if np.isnan(mean) else f'{mean:.3f}' for mean in means)} |")
    return "\n".join(lines)


def _cell(of: Interval, sign: str = "") -> str:
    return f"{of.mean:{sign}.4f} [{of.low:{sign}.4f}, {of.high:{sign}.4f}]"


if __name__ == "__main__":
    main()
