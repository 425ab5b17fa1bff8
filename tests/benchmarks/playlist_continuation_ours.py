"""The project's own lists for the playlist archive: whole Mondays for what is reported, single steps for tuning.

Belongs here: homes, features once for each weighting, factors once for each training, the search over settings.
Does not: truth and recall (playlist_continuation_truth.py), tables (playlist_continuation.py).
"""

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from dagster_project.assets.playlists import week_features
from dagster_project.assets.warehouse import FEATURE_TABLES, manifest
from dagster_project.catalogue_io import artist_ids
from dagster_project.configuration import Configuration, load_configuration
from dagster_project.home import REPOSITORY, Home
from dagster_project.inputs import fix_week_files
from dagster_project.lake import Lake
from dagster_project.resources import clear_scratch, dbt_build_arguments, dbt_environment, prepare_home, warehouse_dbt
from dagster_project.run_lock import hold_run_lock
from dagster_project.text_io import TEXT_RECORDINGS, keep_text, read_text_inputs
from dagster_project.vectors_io import keep_factors, load_factors, recording_vectors
from models_ml.affinity import ContentAffinity
from models_ml.arrays import Ints, floats_with_nan
from models_ml.candidates import find_candidates
from models_ml.collaborative import CollaborativeFactors, fit_collaborative
from models_ml.content_prediction import Signal, is_held_out
from models_ml.evidence import Content, content_scores
from models_ml.features import WeekFeatures
from models_ml.fusion import fuse
from models_ml.pools import from_batch
from models_ml.ranking import score
from models_ml.retrieval import build_retriever
from models_ml.seeds import seed_for
from models_ml.serving import pull_left, served_factors
from models_ml.starting import Starts
from models_ml.text.vectors import train_text
from tests.benchmarks.playlist_continuation_truth import Monday, read_monday
from tests.real_data import SHARED_DATA, land_playlist_archive

ARCHIVE = SHARED_DATA / "playlist_archive"
WORKERS = 2
ROUNDS = 2
Overlay = Mapping[str, float]

# One at a time in this order, twice; a value is kept where it is better than the one before.
SEARCH: Mapping[str, tuple[float, ...]] = {
    "weighting.statement_half_life_days": (0.0, 30.0, 60.0, 120.0),
    "collaborative.iterations": (10, 20, 30),
    "collaborative.regularization": (0.2, 0.3, 0.45, 0.6),
    "serving.artist_weight": (0.0, 0.5, 1.0, 2.0),
    "serving.idle_half_life_days": (0.0, 7.0, 14.0, 20.0, 30.0),
    "ranking.artist_affinity_weight": (0.0, 0.05, 0.1, 0.2),
    "ranking.popularity_penalty": (0.0, 0.05),
    "candidates.candidate_count": (400, 1000),
}
START: Overlay = {
    # The default of 3 with a regularization of .6 gives the tuning Mondays .213 in place of .214.
    "weighting.confidence_alpha": 10.0,
    "weighting.statement_half_life_days": 60.0,
    # Ten passes leave the factors of these few lists unfinished: .215 in place of .224, and more by chance.
    "collaborative.iterations": 20,
    "collaborative.regularization": 0.45,
    "serving.artist_weight": 0.5,
    "serving.idle_half_life_days": 20.0,
    "ranking.artist_affinity_weight": 0.05,
    "ranking.popularity_penalty": 0.0,
    "candidates.candidate_count": 1000,
}


@dataclass(frozen=True)
class OurLists:
    """(p, 30) each, -1 for none: what ranks best before caps and soft rules, and what is published."""

    ranked: Ints
    published: Ints


def run_monday(folder: Path, week: dt.date, overlay: Path) -> Home:
    """The whole Monday in a home of its own, so that no earlier list is remembered; nothing where it is there."""
    home = _landed(folder / "mondays" / week.isoformat())
    with hold_run_lock(home.root, _say):  # a run that outlived its benchmark still writes there
        pass
    done = home.root / "overlay.toml"
    if not home.manifest(week).exists() or not done.exists() or done.read_text() != overlay.read_text():
        command = [sys.executable, "-m", "dagster_project.cli", "run", "--week", week.isoformat()]
        ran = subprocess.run(
            [*command, "--home", str(home.root), "--with", str(overlay)], cwd=REPOSITORY, stdin=subprocess.DEVNULL
        )
        if ran.returncode:
            raise SystemExit(f"Monday {week}: the run failed, see above")
        done.write_text(overlay.read_text())
    return home


def our_lists(home: Home, monday: Monday) -> OurLists:
    """What a whole Monday left in the lake."""
    lake = Lake(home.lake)
    users = lake.read_week("features/listeners", monday.week, ["user_id"])["user_id"].combine_chunks()
    ranked, slots = (lake.read_week(f"ml/{table}", monday.week) for table in ("ranked_candidates", "playlist_slots"))
    return OurLists(monday.lists_of(ranked, users), monday.lists_of(slots, users))


def tune(folder: Path, mondays: list[dt.date]) -> tuple[Overlay, dict[str, float]]:
    """The settings with the highest mean recall over the tuning Mondays, and the recall of every one tried."""
    tried: dict[str, float] = {}
    best = dict(START)
    with ProcessPoolExecutor(WORKERS) as pool:
        for name in [*SEARCH] * ROUNDS:
            choices = [{**best, name: value} for value in SEARCH[name]]
            new = [choice for choice in choices if _named(choice) not in tried]
            work = [pool.submit(_recalls, folder, week, new) for week in mondays]
            means = np.mean([each.result() for each in work], axis=0) if new else ()
            tried |= {_named(choice): float(mean) for choice, mean in zip(new, means, strict=True)}
            best = max([best, *choices], key=lambda choice: tried[_named(choice)])  # the first of equals
            _say(f"tuning: {name} = {best[name]:g}: {tried[_named(best)]:.4f}")
    return best, tried


def write_overlay(path: Path, overlay: Overlay, words: str) -> None:
    """The overlay as a configuration file."""
    lines = [f"# {line}" for line in words.splitlines()]
    for section in dict.fromkeys(name.split(".")[0] for name in overlay):
        lines += ["", f"[{section}]"]
        lines += [
            f"{name.split('.')[1]} = {value}" for name, value in overlay.items() if name.startswith(f"{section}.")
        ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def features_of(folder: Path, week: dt.date, overlay: Overlay) -> Home:
    """A home with the week's features under the overlay's weighting; several weeks share it and remember nothing."""
    chosen = {name: value for name, value in overlay.items() if name.startswith("weighting.")}
    home = _landed(folder / "tuning" / _hash(chosen))
    configuration = _configuration(home.root / "weighting.toml", chosen)
    lake = Lake(home.lake)
    with hold_run_lock(home.root, lambda _: None):
        if not all(lake.has_week(f"features/{table}", week) for table in FEATURE_TABLES):
            prepare_home(home)
            fix_week_files(home, week, dt.datetime.now(dt.UTC).replace(tzinfo=None), False, lambda _: None)
            clear_scratch(home)
            arguments = [*dbt_build_arguments(configuration, "features"), "--exclude-resource-type", "test", "--quiet"]
            with dbt_environment(home, week):
                warehouse_dbt().cli(arguments, manifest=manifest, target_path=home.dbt_target).wait()
            for table in FEATURE_TABLES:
                lake.adopt(f"features/{table}", week, home.scratch / f"{table}.parquet")
    return home


def ranked_lists(folder: Path, week: dt.date, overlay: Overlay) -> Ints:
    """(p, 30) recordings of each playlist, -1 for none: the best by score, by the steps of a Monday from features on.

    Assembly and reasons are left out: they come after the ranking. Where a list can't be filled, a Monday searches
    deeper and ranks more; here it does not.
    """
    home = features_of(folder, week, overlay)
    settings = _configuration(folder / "tuning" / f"{_hash(overlay)}.toml", overlay)
    features, monday = _as_of(home.root, week)
    factors, content = _placed(folder, home, week, settings)
    listeners = int(factors.has_vector.sum())
    retriever = build_retriever(factors.served, factors.retrievable, settings.retrieval, listeners)
    table = find_candidates(features, factors, retriever, settings.candidates).table
    pull, reach, parts = pull_left(features.recordings.idle_days, settings.serving), factors.reach, []
    for batch in table.to_batches():
        listener, pool = from_batch(batch)
        owners, personal = listener[pool.rows], pool.is_personal()
        said = content_scores(factors, content, listener, pool, settings.ranking)
        given = (features, owners, pool.recordings, pool.scores, personal, settings.ranking)
        scores = score(*given, pull, reach, said).final
        order = np.lexsort((pool.recordings, -scores, ~personal, owners))
        parts.append(pa.table({"user_index": owners[order], "recording_index": pool.recordings[order]}))
    return monday.lists_of(pa.concat_tables(parts), features.user_id)


@lru_cache(maxsize=4)
def _as_of(root: Path, week: dt.date) -> tuple[WeekFeatures, Monday]:
    """The week's features, and the archive by their positions."""
    lake = Lake(Home(root).lake)
    return week_features(lake, week), read_monday(ARCHIVE, lake, week)


def _recalls(folder: Path, week: dt.date, overlays: Sequence[Overlay]) -> list[float]:
    """Mean recall of each overlay on one Monday, over the listeners known by then."""
    return [_recall(folder, week, overlay) for overlay in overlays]


def _recall(folder: Path, week: dt.date, overlay: Overlay) -> float:
    kept = folder / "tuning" / "recalls" / week.isoformat() / f"{_hash(overlay)}.json"
    if not kept.exists():
        _, monday = _as_of(features_of(folder, week, overlay).root, week)
        recall = monday.recall(ranked_lists(folder, week, overlay))[monday.is_known]
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(float(recall.mean())))
    return float(json.loads(kept.read_text()))


def _factors(folder: Path, home: Home, week: dt.date, settings: Configuration) -> CollaborativeFactors:
    """Trained once for each weighting and training: kept in a lake of their own."""
    lake = Lake(folder / "tuning" / "factors" / _hash(asdict(settings.weighting) | asdict(settings.collaborative)))
    if lake.has_week("vectors/training", week):
        return load_factors(lake, week)
    features = Lake(home.lake)
    listeners = features.read_week("features/listeners", week, ["user_id"])["user_id"].combine_chunks()
    recordings = features.read_week("features/recordings", week, ["recording_id"])["recording_id"].combine_chunks()
    interactions = features.read_week("features/interactions", week)
    seed = seed_for("collaborative_factors", week, settings.run.seed)
    factors = fit_collaborative(interactions, listeners, recordings, settings.collaborative, seed)
    keep_factors(lake, week, factors, factors.to_tables(listeners, recordings))
    return factors


def _placed(folder: Path, home: Home, week: dt.date, settings: Configuration) -> tuple[CollaborativeFactors, Content]:
    """The factors as they are searched, and what is known beside listening; words are read once for each setting."""
    lake, factors = Lake(home.lake), _factors(folder, home, week, settings)
    words = Lake(folder / "tuning" / "words" / _hash(asdict(settings.text)))
    if not words.has_week(TEXT_RECORDINGS, week):
        seed = seed_for("text_vectors", week, settings.run.seed)
        keep_text(words, week, train_text(read_text_inputs(lake, week), settings.text, seed))
    features, _ = _as_of(home.root, week)
    signals = [Signal("text", recording_vectors(words, week, TEXT_RECORDINGS))]
    recordings, artist = features.recordings, features.artist_of_recording
    out_days = floats_with_nan(lake.read_week("features/recordings", week), "recordings", "out_days")
    seed = seed_for("fused_vectors", week, settings.run.seed)
    held_out = is_held_out(artist_ids(lake, week))
    fused = fuse(factors, features.interactions, artist, out_days, held_out, signals, settings.fusion, seed)
    starts = Starts(factors.listener_factors, factors.rungs)
    of_recordings = recordings.listener_count, recordings.idle_days
    served = served_factors(factors, fused, starts, artist, *of_recordings, settings.serving)
    return served, Content(ContentAffinity(features.interactions, signals[0].vectors))


def _landed(root: Path) -> Home:
    """A home in which the archive has landed."""
    home = Home(root)
    root.mkdir(parents=True, exist_ok=True)
    with hold_run_lock(root, lambda _: None):  # two Mondays of one weighting come here at once
        if not (home.landing / "playlist_tracks").exists():
            land_playlist_archive(ARCHIVE, home.landing)
    return home


def _configuration(path: Path, overlay: Overlay) -> Configuration:
    """The settings, read the way a run reads them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    write_overlay(beside, overlay, "")
    beside.replace(path)
    return load_configuration([path])


def _named(overlay: Overlay) -> str:
    return json.dumps(dict(overlay), sort_keys=True)


def _hash(values: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(dict(values), sort_keys=True).encode()).hexdigest()[:12]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
