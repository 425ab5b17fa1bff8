"""Collaborative filtering on Last.fm-2K's published folds, beside the numbers others got on them.

Run: .venv/bin/python -m tests.benchmarks.published_numbers [--grid] [--tags] [--folds 0 1 2 3 4] [--seed 1]
With --tags, what listeners wrote about artists is heard too: vectors of words are trained on the tags, and a listener's
affinity in that space is added to the score. Tags that a listener gave to an artist of their test rows are left out.
Truth is binary; all artists outside the listener's training rows are ranked, cut at 10; the mean over listeners who
have test rows. The figures of others come from lists that were published for the same folds.
Belongs here: the project's training, words and exact search on these folds, and the table behind the defaults of
`collaborative`. Does not: tuning by a temporal hold-out; anything that is dated.
"""

import argparse
import itertools
import sys
import time
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.configuration import WeightingParams
from models_ml.affinity import ContentAffinity
from models_ml.arrays import Bools, Floats, Ints
from models_ml.collaborative import CollaborativeParams, fit_collaborative
from models_ml.errors import InputError
from models_ml.features import read_interactions
from models_ml.retrieval import ExactRetriever
from models_ml.text.inputs import TAGS, TextInputs, no_inputs
from models_ml.text.params import TextParams
from models_ml.text.vectors import train_text
from tests.real_data import SHARED_DATA

DATA = SHARED_DATA / "lastfm_2k"
FOLDS = (0, 1, 2, 3, 4)
CUT = 10
# Recomputed from the published lists, over all ten folds of the source.
PUBLISHED = (("most popular", 0.0363, 0.0803), ("UserKNN", 0.0907, 0.1996), ("EASE", 0.0953, 0.2097))
PRECISION_BAR, RECALL_BAR = 0.108, 0.240
# Chosen on folds 0 and 1: a few hundred thousand tags are little, so they are read often.
WORDS = TextParams(vector_size=256, epochs=40, common_components=3)
TAGS_WEIGHT, TAGS_FACTORS, TAGS_BAR = 0.4, 256, 0.250


@dataclass(frozen=True)
class Setting:
    """What a fit is made with.  play_counts: False takes each count for a single play, a bare yes."""

    params: CollaborativeParams
    alpha: float
    play_counts: bool = True


@dataclass(frozen=True)
class Fold:
    """One fold; positions are those in the sorted ids of the training rows.

    user, artist, play_count: of each training row, sorted by user and artist.
    test_user, test_artist: of each test row of a known user; the artist is -1 where nobody trained on it.
    """

    user_ids: Ints
    artist_ids: Ints
    user: Ints
    artist: Ints
    play_count: Floats
    test_user: Ints
    test_artist: Ints

    @property
    def shape(self) -> tuple[int, int]:
        """(users, artists)."""
        return len(self.user_ids), len(self.artist_ids)


@dataclass(frozen=True)
class Quality:
    """Means over listeners with test rows."""

    precision: float
    recall: float
    regularization: float


def main() -> None:
    """Print the figures at the checked-in defaults, and with --grid what moves them."""
    parser = argparse.ArgumentParser(description="Collaborative filtering on published folds of Last.fm-2K.")
    parser.add_argument("--folds", type=int, nargs="+", default=FOLDS, choices=FOLDS)
    parser.add_argument("--grid", action="store_true", help="also what factors, regularization and alpha do to it")
    parser.add_argument("--tags", action="store_true", help="also with tags as text")
    parser.add_argument("--seed", type=int, default=1, help="of the random start (default 1)")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA}: not there; the folds can't be redistributed")
    folds = {number: read_fold(number) for number in options.folds}
    print(default_table({number: measure(fold, defaults(), options.seed) for number, fold in folds.items()}))
    if options.tags:
        print(f"\n{tags_table(folds, options.seed)}")
    if options.grid:
        print(f"\n{grid_table(list(folds.values()), options.seed)}")


def defaults() -> Setting:
    """The checked-in defaults."""
    return Setting(CollaborativeParams(), WeightingParams().confidence_alpha)


def read_fold(number: int) -> Fold:
    """Fold `number`, its training rows with their play counts.

    Raises InputError where a training row has no count.
    """
    train, test = (pq.read_table(DATA / f"fold{number}_{part}.parquet") for part in ("train", "test"))
    counts = pq.read_table(DATA / "user_artists.parquet")
    rows = train.join(counts, ["user_id", "artist_id"], join_type="left outer")
    rows = rows.sort_by([("user_id", "ascending"), ("artist_id", "ascending")])
    if rows["play_count"].null_count:
        raise InputError(f"fold{number}_train: {rows['play_count'].null_count} rows have no play_count in user_artists")
    users, user = np.unique(rows["user_id"].to_numpy(), return_inverse=True)
    artists, artist = np.unique(rows["artist_id"].to_numpy(), return_inverse=True)
    test_user = _places(users, test["user_id"].to_numpy())
    test_artist = _places(artists, test["artist_id"].to_numpy())
    known = test_user >= 0
    play_count = rows["play_count"].to_numpy().astype(np.float64)
    return Fold(users, artists, user, artist, play_count, test_user[known], test_artist[known])


def measure(fold: Fold, setting: Setting, seed: int, tags_weight: float = 0.0) -> Quality:
    """Train on the fold, rank everything else exactly, and compare with its test rows."""
    ids = pa.array(fold.user_ids.astype(str)), pa.array(fold.artist_ids.astype(str))
    trained = _interactions(fold, setting)
    factors = fit_collaborative(trained, *ids, setting.params, seed)
    in_training: Bools = np.zeros(fold.shape, dtype=bool)
    in_training[fold.user, fold.artist] = True
    listeners, artists = factors.listener_factors, factors.served
    if tags_weight:
        words = train_text(_tags(fold), WORDS, seed).recording_vectors
        affinity = ContentAffinity(read_interactions(trained, *fold.shape), words)
        # One inner product for both: the search stays what it is.
        listeners = np.hstack([listeners, tags_weight * affinity.profiles(np.arange(fold.shape[0]))])
        artists = np.hstack([artists, affinity.vectors])
    best = ExactRetriever(artists, factors.retrievable).search(listeners, CUT, in_training)
    wanted = np.bincount(fold.test_user, minlength=fold.shape[0])  # artists nobody trained on count as missed
    held_out: Bools = np.zeros(fold.shape, dtype=bool)
    reachable = fold.test_artist >= 0
    held_out[fold.test_user[reachable], fold.test_artist[reachable]] = True
    found = np.take_along_axis(held_out, np.maximum(best.positions, 0), axis=1) & (best.positions >= 0)
    hits = found.sum(axis=1)[wanted > 0]
    recall = float((hits / wanted[wanted > 0]).mean())
    return Quality(float((hits / CUT).mean()), recall, factors.regularization)


def _tags(fold: Fold) -> TextInputs:
    """Tags of the fold's artists, all but those a listener gave to an artist of their own test rows."""
    given = pq.read_table(DATA / "user_tagged_artists.parquet", columns=["user_id", "artist_id", "tag_id"])
    given = given.join(pq.read_table(DATA / "tags.parquet"), "tag_id", join_type="inner")
    user, artist = (
        _places(fold.user_ids, given["user_id"].to_numpy()),
        _places(fold.artist_ids, given["artist_id"].to_numpy()),
    )
    tested = np.isin(user * fold.shape[1] + artist, fold.test_user * fold.shape[1] + fold.test_artist)
    kept = (artist >= 0) & ~((user >= 0) & tested)
    rows = pa.table({"recording_index": pa.array(artist[kept], pa.int32()), "tag": given["tag"].filter(pa.array(kept))})
    counted = rows.group_by(["recording_index", "tag"]).aggregate([([], "count_all")])
    counted = counted.sort_by([("recording_index", "ascending"), ("tag", "ascending")])
    counted = counted.rename_columns(["recording_index", "tag", "tag_count"])
    return replace(no_inputs(fold.shape[1]), tags=counted.cast(TAGS))


def default_table(measured: dict[int, Quality]) -> str:
    """Each fold and their mean, beside the published lists."""
    mean = _mean(list(measured.values()))
    lines = ["| lists | P@10 | R@10 |", "|---|---|---|"]
    lines += [f"| {name}, as published | {precision:.4f} | {recall:.4f} |" for name, precision, recall in PUBLISHED]
    lines += [f"| ours, fold {number} | {of.precision:.4f} | {of.recall:.4f} |" for number, of in measured.items()]
    bars = f"bars: P@10 {PRECISION_BAR:.3f}, R@10 {RECALL_BAR:.3f}: {'reached' if _reached(mean) else 'not reached'}"
    return "\n".join([*lines, f"| **ours, mean** | {mean.precision:.4f} | {mean.recall:.4f} |", "", bars])


def tags_table(folds: dict[int, Fold], seed: int) -> str:
    """Each fold and their mean, without tags and with."""
    setting = _changed(defaults(), factors=TAGS_FACTORS)
    lines = [f"| fold, {TAGS_FACTORS} factors | R@10 by listening | R@10 with tags |", "|---|---|---|"]
    measured = [
        [measure(fold, setting, seed, weight).recall for weight in (0.0, TAGS_WEIGHT)] for fold in folds.values()
    ]
    lines += [
        f"| {number} | {plain:.4f} | {with_tags:.4f} |"
        for number, (plain, with_tags) in zip(folds, measured, strict=True)
    ]
    plain, with_tags = np.mean(measured, axis=0)
    bar = f"bar: {TAGS_BAR:.3f}: {'reached' if with_tags >= TAGS_BAR else 'not reached'}"
    return "\n".join([*lines, f"| **mean** | {plain:.4f} | {with_tags:.4f} |", "", bar])


def grid_table(folds: list[Fold], seed: int) -> str:
    """Mean over the folds of one setting a row."""
    lines = [
        "| factors | regularization | scaled by | constant used | alpha | passes | counts | P@10 | R@10 | bars |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for setting in grid():
        started = time.monotonic()
        of = _mean([measure(fold, setting, seed) for fold in folds])
        params = setting.params
        made_with = f"{params.factors} | {params.regularization:g} | {params.regularization_scaling}"
        trained = f"{setting.alpha:g} | {params.iterations} | {'plays' if setting.play_counts else 'yes or no'}"
        figures = f"{of.precision:.4f} | {of.recall:.4f} | {'both' if _reached(of) else ''}"
        lines.append(f"| {made_with} | {of.regularization:.1f} | {trained} | {figures} |")
        print(f"{lines[-1]} {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
    return "\n".join(lines)


def grid() -> list[Setting]:
    """Alpha with regularization, with twice the factors too; then one at a time: passes, scaling, no counts."""
    base = defaults()
    small = itertools.product((128,), (1.0, 3.0, 10.0, 20.0), (1.5, 2.0, 2.5, 3.0, 4.0))
    large = itertools.product((256,), (3.0, 10.0, 20.0), (2.0, 3.0))
    crossed = itertools.chain(small, large)
    settings = [_changed(base, alpha, factors=size, regularization=pull) for size, alpha, pull in crossed]
    settings += [_changed(base, alpha, regularization=2.0, iterations=10) for alpha in (3.0, 10.0)]
    constants = (0.1, 10.0, 30.0, 60.0)
    settings += [_changed(base, regularization=pull, regularization_scaling="constant") for pull in constants]
    return settings + [replace(_changed(base, regularization=pull), play_counts=False) for pull in (1.0, 2.0, 4.0)]


def _changed(base: Setting, alpha: float | None = None, **changes: object) -> Setting:
    """The setting with other parameters."""
    params = replace(base.params, **changes)  # type: ignore[arg-type]
    return replace(base, params=params, alpha=base.alpha if alpha is None else alpha)


def _interactions(fold: Fold, setting: Setting) -> pa.Table:
    """Training rows as the features step hands them over: confidence 1 + alpha ln(1 + play count)."""
    engagement = fold.play_count if setting.play_counts else np.ones(len(fold.play_count))
    return pa.table(
        {
            "user_index": pa.array(fold.user, pa.int32()),
            "recording_index": pa.array(fold.artist, pa.int32()),
            "confidence": (1.0 + setting.alpha * np.log1p(engagement)).astype(np.float32),
            "preference": pa.array(np.ones(len(fold.user)), pa.int8()),
        }
    )


def _places(known: Ints, asked: Ints) -> Ints:
    """Position of each id among the sorted, known ones, -1 where it is none of them."""
    places = np.searchsorted(known, asked).clip(max=len(known) - 1)
    return np.where(known[places] == asked, places, -1)


def _mean(measured: list[Quality]) -> Quality:
    names = ("precision", "recall", "regularization")
    return Quality(**{name: float(np.mean([getattr(of, name) for of in measured])) for name in names})


def _reached(mean: Quality) -> bool:
    return mean.precision >= PRECISION_BAR and mean.recall >= RECALL_BAR


if __name__ == "__main__":
    main()
