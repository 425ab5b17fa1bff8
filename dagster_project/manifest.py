"""The manifest of a week: what made it, so that it can be told apart, traced and made again.

Belongs here: gathering, writing and reading manifests, the chain of weeks they form. Does not: deciding
what a week reads (assets/landing.py) or comparing weeks.
"""

import datetime as dt
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from dagster_project.experiments_io import recorded_declarations
from dagster_project.home import REPOSITORY, WAREHOUSE_PROJECT, Home
from dagster_project.lake import Lake
from dagster_project.recipe import Recipe
from models_ml.arrays import worker_count
from models_ml.errors import InputError
from models_ml.seeds import seed_for

PACKAGES = (
    "duckdb",
    "dbt-core",
    "dbt-duckdb",
    "dagster",
    "dagster-dbt",
    "implicit",
    "usearch",
    "gensim",
    "lightgbm",
    "torch",
    "soundfile",
    "soxr",
    "numpy",
    "scipy",
    "pyarrow",
)
SEEDED_STEPS = (
    "collaborative_factors",
    "text_vectors",
    "audio_vectors",
    "fused_vectors",
    "retrieval_probes",
    "exploration",
    "ranker",
    "evaluation_metrics",
)
# Moments of the run itself: they differ between two runs of the same week and are outside "same".
VOLATILE_COLUMNS = frozenset({"generated_at", "model_trained_at", "model_age_days"})
MANIFEST_TABLES = (
    "vectors/listener_factors",
    "vectors/recording_factors",
    "ml/rehearsed_features",
    "ranker/ranker",
    "ml/playlist_slots",
    "ml/ranking_features",
    "ml/relaxations",
    "ml/playlist_mixes",
    "ml/candidate_funnel",
    "ml/rejected_candidates",
    "ml/ablated_candidates",
    "ml/evaluation_metrics",
    "ml/evaluation_comparisons",
    "ml/off_policy_estimates",
    "ml/model_metrics",
    "marts/weekly_playlists",
    "marts/weekly_playlist_tracks",
    "marts/playlist_slot_outcomes",
    "marts/bandit_arms",
    "marts/playlist_relaxations",
    "marts/rejected_candidates",
    "marts/candidate_funnel",
    "marts/evaluation_metrics",
    "marts/evaluation_comparisons",
    "marts/exposure_report",
    "marts/off_policy_estimates",
    "marts/monitoring",
    "marts/track_vectors",
    "marts/track_sounds",
    "marts/track_rungs",
    "marts/experiment_assignments",
    "marts/experiment_exposures",
    "marts/experiment_results",
)


def committed_weeks(home: Home) -> list[dt.date]:
    """Weeks whose manifest is there, oldest first."""
    folder = home.root / "models"
    names = sorted(path.parent.name for path in folder.glob("*/manifest.json")) if folder.exists() else []
    return [dt.date.fromisoformat(name) for name in names]


def parent_week(home: Home, week: dt.date) -> dt.date | None:
    """The newest committed week strictly before `week`: the only one whose state it may use."""
    return max((other for other in committed_weeks(home) if other < week), default=None)


def read_manifest(home: Home, week: dt.date) -> dict[str, Any] | None:
    """The manifest of a week, None where the week isn't committed."""
    path = home.manifest(week)
    if not path.exists():
        return None
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: not a manifest ({error}); run week {week} again") from error
    return manifest


def write_manifest(
    home: Home, week: dt.date, recipe: Recipe, inputs: list[dict[str, Any]], generated_at: dt.datetime
) -> dict[str, Any]:
    """Commit a week: gather what made it and put the manifest in place, whole."""
    parent = parent_week(home, week)
    parent_manifest = read_manifest(home, parent) if parent else None
    manifest: dict[str, Any] = {
        "week": week.isoformat(),
        "inputs": inputs,
        "parent": {"week": parent.isoformat(), "hash": parent_manifest["hash"]} if parent and parent_manifest else None,
        "config_hash": recipe.configuration.hash(),
        "config": recipe.configuration.as_dict(),
        "recipe_hash": recipe.hash,
        "event_weights": recipe.own_weights,
        "experiments": recorded_declarations(Lake(home.lake), week),
        "seeds": {step: seed_for(step, week, recipe.configuration.run.seed) for step in SEEDED_STEPS},
        "code_hash": code_hash(),
        "packages": package_versions(),
        "tables": table_hashes(home, week, MANIFEST_TABLES),
        # What was taken out since stays out: the run that comes before this took it out again.
        "takedowns": (read_manifest(home, week) or {}).get("takedowns", []),
        "redacted": False,
    }
    return _committed(home, week, manifest, generated_at.isoformat(timespec="seconds"))


def amend_manifest(home: Home, week: dt.date, changed: dict[str, Any], tables_changed: bool = True) -> None:
    """Commit a week again whose published lists were changed; one that was never committed stays so."""
    manifest = read_manifest(home, week)
    if manifest is None:
        return
    generated_at = manifest.pop("generated_at")
    # What was made before there was a table has none, until it is run again.
    there = [name for name in MANIFEST_TABLES if name in manifest["tables"] or Lake(home.lake).has_week(name, week)]
    tables = table_hashes(home, week, there) if tables_changed else manifest["tables"]
    _committed(home, week, {**manifest, **changed, "tables": tables}, generated_at)


def _committed(home: Home, week: dt.date, manifest: dict[str, Any], generated_at: str) -> dict[str, Any]:
    """The manifest in place, under the hash of everything in it but the moment."""
    manifest.pop("hash", None)
    manifest["hash"] = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()[:32]
    manifest["generated_at"] = generated_at
    _write_whole(home.manifest(week), json.dumps(manifest, indent=1, sort_keys=True))
    return manifest


def table_hashes(home: Home, week: dt.date, tables: Sequence[str]) -> dict[str, dict[str, str]]:
    """Hashes of a week's tables as a manifest holds them."""
    lake = Lake(home.lake)

    def hashed(table: str) -> dict[str, str]:
        return {"content_hash": lake.content_hash(table, week, leave_out=VOLATILE_COLUMNS)}

    # None waits for its turn, as blocks `in_order` do: the two long ones lie far apart, and a hash takes no memory.
    with ThreadPoolExecutor(worker_count(0)) as pool:
        return dict(zip(tables, pool.map(hashed, tables), strict=True))


def stale_weeks(home: Home) -> list[dt.date]:
    """Committed weeks whose parent was run again since and came out otherwise, or appeared since."""
    stale: list[dt.date] = []
    for week in committed_weeks(home):
        manifest, parent = read_manifest(home, week), parent_week(home, week)
        stated = (manifest or {}).get("parent")
        current = read_manifest(home, parent) if parent else None
        expected = {"week": parent.isoformat(), "hash": current["hash"]} if parent and current else None
        if stated != expected or parent in stale:
            stale.append(week)
    return stale


def package_versions() -> dict[str, str]:
    """What is installed of what shapes a week."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


@cache
def code_hash() -> str:
    """Hash of the project's own code: every Python, SQL, YAML and seed file that shapes a week."""
    digest = hashlib.sha256()
    folders = [
        REPOSITORY / "models_ml",
        REPOSITORY / "dagster_project",
        *(WAREHOUSE_PROJECT / name for name in ("macros", "models", "seeds")),
    ]
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".sql", ".yml", ".csv"}]
    for path in sorted([*files, WAREHOUSE_PROJECT / "dbt_project.yml"]):
        digest.update(path.relative_to(REPOSITORY).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.writing")
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
