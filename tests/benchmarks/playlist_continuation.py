"""Playlist continuation on the dated playlist archive: what each editorial playlist adds in the next four weeks.

Run: .venv/bin/python -m tests.benchmarks.playlist_continuation [--keep DIR] [--tune]
A playlist stands for a listener. Eight Mondays, each from landing files to published in a home of its own, so that no
earlier list is remembered. Truth: tracks newly added to the playlist in the 28 days from the Monday on, without the
playlist's first day (on that day the crawl began, not the playlist), and only tracks that some playlist held before.
--tune searches settings of ours on Mondays whose truth ends before the first reported one, and writes them to
playlist_continuation.toml; the baselines are tuned on the same Mondays every time. With --keep what was finished stays.
Belongs here: the protocol and the tables. Does not: truth, baselines, the project's steps (playlist_continuation_*.py).
"""

import argparse
import datetime as dt
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dagster_project.lake import Lake
from models_ml.arrays import Bools, Floats, Ints
from models_ml.evaluation.bootstrap import Interval, ratio_of_means
from tests.benchmarks.playlist_continuation_baselines import DECAYED, GRIDS, NAMED, POPULAR, Baselines, Settings
from tests.benchmarks.playlist_continuation_ours import (
    ARCHIVE,
    START,
    WORKERS,
    features_of,
    our_lists,
    run_monday,
    tune,
    write_overlay,
)
from tests.benchmarks.playlist_continuation_truth import Monday, read_monday

REPORTED = [dt.date(2021, 2, 15) + dt.timedelta(weeks=number) for number in range(8)]
# Their windows of 28 days don't overlap, and the last one ends where the first reported one begins.
TUNING = [dt.date(2020, 10, 26) + dt.timedelta(weeks=4 * number) for number in range(4)]
OVERLAY = Path(__file__).with_suffix(".toml")
RANKED, PUBLISHED = "ours, ranked", "ours, published"
SEED = 1


@dataclass(frozen=True)
class Rows:
    """One row per Monday and playlist with truth; recall, plain recall and nDCG of each method by name."""

    monday: Ints
    playlist: Ints
    is_known: Bools
    is_seasoned: Bools
    recall: Mapping[str, Floats]
    plain: Mapping[str, Floats]
    ndcg: Mapping[str, Floats]
    plain_ceiling: Floats


def main() -> None:
    """Tune where asked to, run the Mondays, print the tables."""
    parser = argparse.ArgumentParser(description="Playlist continuation on the playlist archive.")
    parser.add_argument(
        "--keep", type=Path, help="folder to work in, to leave and to go on in; default a temporary one"
    )
    parser.add_argument("--tune", action="store_true", help=f"search the settings anew and write {OVERLAY.name}")
    options = parser.parse_args()
    if not ARCHIVE.is_dir():
        raise SystemExit(f"{ARCHIVE}: not there; this benchmark needs the playlist archive")
    folder = (options.keep or Path(tempfile.mkdtemp(prefix="playlist_continuation_"))).resolve()
    if options.tune:
        best, tried = tune(folder, TUNING)
        words = f"Playlist continuation: tuned on {TUNING[0]} to {TUNING[-1]} by playlist_continuation.py --tune."
        write_overlay(OVERLAY, best, words)
        print(f"Settings tried on the tuning Mondays:\n\n{_tried_table(tried)}\n")
    settings, tuning_recall = tuned_baselines(folder)
    rows = measured(folder, settings)
    print(report(rows, settings, tuning_recall))
    if not options.keep:
        shutil.rmtree(folder)


def tuned_baselines(folder: Path) -> tuple[dict[str, Settings], dict[str, float]]:
    """Each baseline's best settings on the tuning Mondays, and their mean recall there."""
    with ProcessPoolExecutor(WORKERS) as pool:
        means = np.mean(list(pool.map(_grid_recalls, [folder] * len(TUNING), TUNING)), axis=0)
    best: dict[str, Settings] = {}
    recall: dict[str, float] = {}
    for (method, settings), mean in zip(_grid(), means, strict=True):
        if method not in best or mean > recall[method]:  # the first of equals
            best[method], recall[method] = settings, float(mean)
    return best, recall


def measured(folder: Path, settings: Mapping[str, Settings]) -> Rows:
    """Our lists and the baselines' on every reported Monday."""
    with ThreadPoolExecutor(WORKERS) as pool:
        homes = list(pool.map(lambda week: run_monday(folder, week, OVERLAY), REPORTED))
    parts = []
    for number, (week, home) in enumerate(zip(REPORTED, homes, strict=True)):
        monday = read_monday(ARCHIVE, Lake(home.lake), week)
        ours, baselines = our_lists(home, monday), Baselines(monday)
        lists = {RANKED: ours.ranked, PUBLISHED: ours.published}
        lists |= {method: baselines.lists(method, chosen) for method, chosen in settings.items()}
        parts.append(rows_of(number, monday, lists))
    return joined(parts)


def report(rows: Rows, settings: Mapping[str, Settings], tuning_recall: Mapping[str, float]) -> str:
    """The tables, in Markdown."""
    best = max(NAMED, key=lambda method: over_mondays(rows, rows.is_known, rows.recall[method]).mean)
    known, seasoned = (int(chosen.sum()) for chosen in (rows.is_known, rows.is_seasoned))
    head = (
        f"Playlist continuation, {len(REPORTED)} Mondays {REPORTED[0]} to {REPORTED[-1]}: recall@30 of what the "
        f"playlist adds within 28 days. {known} lists with truth ({seasoned} with 20 or more tracks of history). "
        "Intervals of 95 % resample playlists with all their Mondays."
    )
    everyone: Bools = np.ones(len(rows.monday), dtype=bool)
    lines = [
        "| lists | settings | tuning Mondays | all | 20 or more tracks | and those first seen later | plain recall |",
        "|---|---|---|---|---|---|---|",
    ]
    for method, recall in rows.recall.items():
        figures = [over_mondays(rows, chosen, recall) for chosen in (rows.is_known, rows.is_seasoned)]
        later = over_mondays(rows, everyone, recall).mean
        plain = over_mondays(rows, rows.is_known, rows.plain[method]).mean
        at_tuning = f"{tuning_recall[method]:.3f}" if method in tuning_recall else ""
        said = ", ".join(f"{name} {value}" for name, value in settings.get(method, {}).items())
        cells = [f"{of.mean:.3f} [{of.low:.3f}, {of.high:.3f}]" for of in figures]
        lines.append(f"| {method} | {said} | {at_tuning} | {' | '.join(cells)} | {later:.3f} | {plain:.3f} |")
    ceiling = over_mondays(rows, rows.is_known, rows.plain_ceiling).mean
    lines += [f"| the best there can be | | | 1 | 1 | | {ceiling:.3f} |", ""]
    lines += [_against(rows, best, "the best of the named baselines")]
    lines += [_against(rows, method, "beyond the named ones") for method in DECAYED]
    return "\n".join([head, "", *lines])


def _against(rows: Rows, method: str, words: str) -> str:
    """One line a method: our ranking over it."""
    populations = (("all", rows.is_known), ("20 or more tracks", rows.is_seasoned))
    ratios = [(name, over_mondays(rows, of, rows.recall[RANKED], rows.recall[method])) for name, of in populations]
    figures = "; ".join(f"{name} {ratio.mean:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]" for name, ratio in ratios)
    return f"Ours, ranked, over {method} ({words}): {figures}."


def over_mondays(rows: Rows, chosen: Bools, values: Floats, below: Floats | None = None) -> Interval:
    """Mean of the Mondays' means with its interval, or its quotient by that of `below`; playlists stay together."""
    counts = np.bincount(rows.monday[chosen], minlength=len(REPORTED))
    weight = 1.0 / counts[rows.monday[chosen]]
    under = weight if below is None else below[chosen] * weight
    return ratio_of_means(values[chosen] * weight, under, SEED, clusters=rows.playlist[chosen])


def _grid() -> list[tuple[str, Settings]]:
    return [(method, settings) for method, grid in GRIDS.items() for settings in grid]


def _grid_recalls(folder: Path, week: dt.date) -> list[float]:
    """Mean recall of every baseline in every setting on one Monday."""
    kept = folder / "tuning" / f"baselines_{week}_{len(_grid())}.json"
    if not kept.exists():
        monday = read_monday(ARCHIVE, Lake(features_of(folder, week, START).lake), week)
        baselines = Baselines(monday)
        found = [monday.recall(baselines.lists(method, settings)) for method, settings in _grid()]
        kept.write_text(json.dumps([float(recall[monday.is_known].mean()) for recall in found]))
    recalls: list[float] = json.loads(kept.read_text())
    return recalls


def rows_of(number: int, monday: Monday, lists: Mapping[str, Ints]) -> Rows:
    """Playlists with truth.  One first seen after the Monday gets the popular list from all baselines, none of ours."""
    unseen = (monday.track_count == 0)[:, None]
    given = {
        method: np.where(unseen, lists[POPULAR], of) if method in GRIDS else np.asarray(of)
        for method, of in lists.items()
    }
    some = monday.wanted > 0

    def each(measure: Callable[[Ints], Floats]) -> dict[str, Floats]:
        return {method: measure(of)[some] for method, of in given.items()}

    names = np.array(monday.playlist_ids.to_pylist(), dtype=object)[some]
    numbers = np.full(len(names), number)
    known, seasoned = monday.is_known[some], monday.is_seasoned[some]
    ceiling = monday.plain_ceiling()[some]
    return Rows(
        numbers, names, known, seasoned, each(monday.recall), each(monday.plain_recall), each(monday.ndcg), ceiling
    )


def joined(parts: list[Rows]) -> Rows:
    """All Mondays' rows; playlists by number, the same on every Monday."""

    def column(name: str) -> Any:
        return np.concatenate([getattr(part, name) for part in parts])

    def columns(name: str) -> dict[str, Floats]:
        return {method: np.concatenate([getattr(part, name)[method] for part in parts]) for method in parts[0].recall}

    _, playlist = np.unique(column("playlist").astype(str), return_inverse=True)
    flags = column("is_known"), column("is_seasoned")
    recall, plain, ndcg = (columns(name) for name in ("recall", "plain", "ndcg"))
    return Rows(column("monday"), playlist, *flags, recall, plain, ndcg, column("plain_ceiling"))


def _tried_table(tried: Mapping[str, float]) -> str:
    names = list(START)
    lines = [f"| {' | '.join(names)} | recall@30 |", "|---" * (len(names) + 1) + "|"]
    for said, recall in sorted(tried.items(), key=lambda item: -item[1]):
        values = json.loads(said)
        lines.append(f"| {' | '.join(f'{values[name]:g}' for name in names)} | {recall:.4f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
