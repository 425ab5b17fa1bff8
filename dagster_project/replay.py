"""Replay: a past week made again with all weeks before it, from landing files alone, and held against its manifest.

Belongs here: whether every file is still what it was, landing as each week found it, running the chain in a home of its
own, where it parts. Does not: the command's words (cli_replay.py), what a manifest holds (manifest.py).
"""

import datetime as dt
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from dagster_project.assets.warehouse import FEATURE_TABLES
from dagster_project.cli_run import run_week
from dagster_project.cli_takedown import mend_published
from dagster_project.configuration import configuration_of
from dagster_project.experiments_io import write_declarations
from dagster_project.home import Home
from dagster_project.lake import Lake, link
from dagster_project.manifest import (
    MANIFEST_TABLES,
    VOLATILE_COLUMNS,
    code_hash,
    committed_weeks,
    package_versions,
    read_manifest,
)
from dagster_project.progress import LOG
from dagster_project.recipe import put_weights
from dagster_project.run_lock import hold_run_lock
from dagster_project.settings import toml_lines
from dagster_project.takedowns import recorded
from models_ml.errors import InputError
from models_ml.landing.files import format_of
from models_ml.landing.intake import landed_hash, take_in
from models_ml.landing.storage import replace_file

Manifest = dict[str, Any]
FIRST_REPLAY = "replayed.json"
# In the home of a replay: a folder without it is somebody's own, and nothing in it is deleted.
MARKER = "made_by_replay"
_LOCK = "run.lock"


@dataclass(frozen=True)
class ChangedFile:
    """A landing file that is not what a week read.

    path: below landing.  week: the first that read it.  recorded, found: content hashes, found None where it is gone.
    """

    path: str
    week: dt.date
    recorded: str
    found: str | None


@dataclass(frozen=True)
class Compared:
    """A week beside its replay.

    parted: tables whose rows differ, in the order of the road; the first of them is where the weeks part.
    table_count: tables compared.  causes: what else differs, in words.  redacted: it, or a week before it, was made
    with listeners who were forgotten since, so that it is held against its first replay without them; is_first: this is
    that one.
    """

    week: dt.date
    parted: tuple[str, ...]
    table_count: int
    causes: tuple[str, ...]
    is_first: bool = False
    redacted: bool = False


def chain(home: Home, week: dt.date) -> list[Manifest]:
    """Manifests of `week` and of all weeks before it, oldest first. InputError where the week was never completed."""
    weeks = [other for other in committed_weeks(home) if other <= week]
    if week not in weeks:
        raise InputError(f"week {week}: never completed in {home.root}, so there is nothing to hold a replay against")
    return [manifest for other in weeks if (manifest := read_manifest(home, other)) is not None]


def changed_files(home: Home, manifests: Sequence[Manifest]) -> list[ChangedFile]:
    """Files of these weeks that are gone from landing or hold another content than was read."""
    found: dict[str, str | None] = {}
    changed: dict[tuple[str, str], ChangedFile] = {}
    for manifest in manifests:
        for row in _readable(manifest):
            path, recorded = row["path"], row["content_hash"]
            if path not in found:
                found[path] = _hash_now(home.landing, row)
            if found[path] != recorded:
                week = dt.date.fromisoformat(manifest["week"])
                changed.setdefault((path, recorded), ChangedFile(path, week, recorded, found[path]))
    return list(changed.values())


def _readable(manifest: Manifest) -> list[dict[str, Any]]:
    return [row for row in manifest["inputs"] if row["error"] is None]


def _hash_now(landing: Path, row: dict[str, Any]) -> str | None:
    path = landing / row["path"]
    if not path.is_file():
        return None
    return landed_hash(path, row["path"], format_of(PurePosixPath(row["path"]), row["dataset"]))


def replay(home: Home, into: Home, manifests: Sequence[Manifest]) -> Iterator[Compared]:
    """Each week of the chain run in `into` and compared, oldest first.

    A replay that was killed goes on where it was; one begun by other code begins again. InputError where a week of it
    can't be run, or `into` holds anything that no replay has made.
    """
    require_ours(home, into)  # before the lock, which is a file there
    with hold_run_lock(into.root, LOG.info):
        _begin(home, into, manifests)
    redacted = False
    for manifest in manifests:
        week = dt.date.fromisoformat(manifest["week"])
        redacted = redacted or manifest["redacted"]
        if read_manifest(into, week) is None:
            with hold_run_lock(into.root, LOG.info):
                _prepare(home, into, manifest)
            _run(into, week)
        with hold_run_lock(into.root, LOG.info):
            for takedown in recorded(home, week)[len(recorded(into, week)) :]:
                mend_published(into, week, takedown)
        yield _compared_redacted(home, into, manifest) if redacted else _compared(home, into, manifest)


def require_ours(home: Home, into: Home) -> None:
    """InputError where a folder is neither empty nor a replay's: what is in it would be deleted."""
    is_ours = into.root == home.replay or (into.root / MARKER).exists()
    if not is_ours and into.root.exists() and any(path.name != _LOCK for path in into.root.iterdir()):
        raise InputError(f"--into {into.root}: not empty, and no replay has made it; name a new or an empty folder")


def _begin(home: Home, into: Home, manifests: Sequence[Manifest]) -> None:
    """An empty home, or one in which this code has replayed weeks of these files before; the caller holds its lock."""
    require_ours(home, into)
    (into.root / MARKER).touch()
    inputs = {dt.date.fromisoformat(manifest["week"]): manifest["inputs"] for manifest in manifests}
    for week in committed_weeks(into):
        replayed = read_manifest(into, week) or {}
        is_ours = replayed["code_hash"] == code_hash() and inputs.get(week) in (None, replayed["inputs"])
        if not is_ours or _first_replay(home, week).get("generated_at") == replayed["generated_at"]:
            _empty(into)  # of what was kept of it, it would be its own proof
            break
    into.prepare()


def _empty(into: Home) -> None:
    """Nothing stays but the lock that is held, and what says that all this may be deleted."""
    for path in into.root.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in (MARKER, _LOCK):
            path.unlink()


def _prepare(home: Home, into: Home, manifest: Manifest) -> None:
    """The files, settings, weights and experiments of a week; the caller holds the lock."""
    _land(home.landing, into, manifest)
    settings = configuration_of(manifest["config"], f"manifest of {manifest['week']}").as_dict()
    replace_file(into.config_file, ("\n".join(toml_lines(settings)) + "\n").encode())
    put_weights(into, manifest.get("event_weights"))
    write_declarations(into, manifest.get("experiments", {}))


def _first_replay(home: Home, week: dt.date) -> Manifest:
    """What the first replay of a week without those who were forgotten came to; empty where there was none."""
    kept = home.models(week) / FIRST_REPLAY
    return json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}


def _land(landing: Path, into: Home, manifest: Manifest) -> None:
    """The files of the week and no others, each first seen when it was."""
    wanted = {row["path"]: row for row in _readable(manifest)}
    for path in sorted(into.landing.rglob("*")):
        if path.is_file() and path.relative_to(into.landing).as_posix() not in wanted:
            path.unlink()
    missing = [row for path, row in wanted.items() if not (into.landing / path).exists()]
    for moment in sorted({row["first_seen_at"] for row in missing}):
        for row in missing:
            if row["first_seen_at"] == moment:
                target = into.landing / row["path"]
                target.parent.mkdir(parents=True, exist_ok=True)
                link(landing / row["path"], target)
        take_in(into.landing, into.intake, dt.datetime.fromisoformat(moment))


def _run(into: Home, week: dt.date) -> None:
    if not run_week(into, week):
        raise InputError(f"week {week}: its replay in {into.root} failed; the reason is above")


def _compared(home: Home, into: Home, manifest: Manifest) -> Compared:
    week = dt.date.fromisoformat(manifest["week"])
    replayed = read_manifest(into, week) or {"tables": {}}
    before, after = manifest["tables"], replayed["tables"]
    names = [name for name in MANIFEST_TABLES if name in before or name in after]
    parted = [name for name in names if before.get(name) != after.get(name)]
    if not parted:
        return Compared(week, (), len(names), ())
    return Compared(week, (*_features_apart(home, into, week), *parted), len(names), _causes(manifest))


def _compared_redacted(home: Home, into: Home, manifest: Manifest) -> Compared:
    """The week beside its first replay without those who were forgotten, which is kept; this may be the first."""
    week = dt.date.fromisoformat(manifest["week"])
    first, replayed = _first_replay(home, week), read_manifest(into, week) or {}
    tables = replayed["tables"]
    if first.get("of") != manifest["hash"]:
        kept = {name: replayed[name] for name in ("tables", "code_hash", "packages", "generated_at")}
        content = json.dumps({"of": manifest["hash"], **kept}, indent=1, sort_keys=True)
        replace_file(home.models(week) / FIRST_REPLAY, content.encode())
        return Compared(week, (), len(tables), (), is_first=True, redacted=True)
    parted = [name for name in MANIFEST_TABLES if first["tables"].get(name) != tables.get(name)]
    return Compared(week, tuple(parted), len(tables), _causes(first) if parted else (), redacted=True)


def _features_apart(home: Home, into: Home, week: dt.date) -> list[str]:
    """Feature tables that differ, where both lakes still have them: a manifest doesn't hold their hashes."""
    lakes = Lake(home.lake), Lake(into.lake)
    tables = [f"features/{name}" for name in FEATURE_TABLES]
    both = [name for name in tables if all(lake.has_week(name, week) for lake in lakes)]
    return [
        name for name in both if len({lake.content_hash(name, week, leave_out=VOLATILE_COLUMNS) for lake in lakes}) > 1
    ]


def _causes(manifest: Manifest) -> tuple[str, ...]:
    """What is not as it was when the week was made."""
    causes = [] if manifest["code_hash"] == code_hash() else [f"the code is another than {manifest['code_hash']}"]
    now = package_versions()
    causes += [
        f"{name} {version} is now {now.get(name, 'not known to it')}"
        for name, version in manifest["packages"].items()
        if now.get(name) != version
    ]
    return tuple(causes)
