"""Forgetting listeners: landing, intake, lake, published file and manifests of all weeks written again without them.

Belongs here: the steps in their order, so that one that was killed at any moment goes on. Does not: single files
(models_ml/forgetting), landing (forgetting_landing.py), what is remembered (forgotten.py), the proof
(forgetting_proof.py).

First the keyed hashes are written, last the journal goes: a request stands from its first moment, whatever happens.
"""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_project.forgetting_landing import (
    clean_intake,
    inputs_now,
    intake_files,
    playlists_of,
    remove_moved,
    rewrite_landing,
    tell_lists,
)
from dagster_project.forgotten import Forgotten, Journal
from dagster_project.golden import leave_out_golden
from dagster_project.held_up import is_held_up
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import amend_manifest, committed_weeks, read_manifest
from dagster_project.progress import LOG
from dagster_project.publishing import keep_published, publish_anew, published_weeks
from models_ml.forgetting.landing_files import people_in
from models_ml.forgetting.people import People
from models_ml.forgetting.tables import UnreadableTableError, Without, numbers_of
from models_ml.landing.intake import intake_path, take_in
from models_ml.landing.storage import replace_file, replacing

Say = Callable[[str], None]
# Tables that give everyone their number: written last, so that a forgetting that goes on still finds who goes.
_NUMBERED = {"features/listeners": "user_index", "features/playlist_texts": "playlist_index"}
_CHECKED = "_checked.json"


@dataclass(frozen=True)
class Told:
    """What a forgetting did.

    user_ids: who was forgotten.  rows: of landing files that went.  weeks: those with anything of theirs.
    """

    user_ids: frozenset[str] = frozenset()
    rows: int = 0
    weeks: tuple[dt.date, ...] = ()


def forget_landed(home: Home, moment: dt.datetime, say: Say) -> int:
    """What a run does before it reads landing: goes on with what was killed, forgets who asked for it in `deletions`,
    and takes those who were forgotten before out of what has landed since. Rows that went; the caller holds the lock.
    """
    return forget(home, frozenset(), moment, say).rows + forget_arrivals(home, moment, say)


def forget(home: Home, user_ids: frozenset[str], moment: dt.datetime, say: Say) -> Told:
    """Forget these listeners and those who landed in `deletions`; the caller holds the lock.

    A forgetting that was killed is completed first. Killed itself, the next run, or the same command, goes on.
    """
    journal, told = Journal(home), Told()
    if journal.is_open:
        told = _complete(home, journal, moment, say)
    wanted = (user_ids - told.user_ids) | _requested(home, moment, say)
    if wanted:
        Forgotten(home).remember(wanted, "listener")
        journal.begin(wanted)
        more = _complete(home, journal, moment, say)
        told = Told(told.user_ids | wanted, told.rows + more.rows, tuple(sorted({*told.weeks, *more.weeks})))
    return told


def _requested(home: Home, moment: dt.datetime, say: Say) -> frozenset[str]:
    """Who landed in `deletions`; when they asked decides nothing."""
    folder = home.landing / "deletions"
    if not folder.exists():
        return frozenset()
    asked: set[str] = set()
    for row in take_in(home.landing, home.intake, moment, say).to_arrow().to_pylist():
        if row["dataset"] == "deletions" and row["error"] is None:
            asked |= people_in(intake_path(home.intake, "deletions", row["content_hash"]))[0]
    return frozenset(asked)


def _complete(home: Home, journal: Journal, moment: dt.datetime, say: Say) -> Told:
    Forgotten(home).remember(journal.user_ids, "listener")
    _remove_copies(home)
    landed = take_in(home.landing, home.intake, moment, say).to_arrow().to_pylist()
    people, held_up = _with_playlists(home, journal), _held_up(home, journal)
    rows = rewrite_landing(home, landed, people, lambda move: journal.add({"moved": move}), say)
    leave = {(row["dataset"], row["content_hash"]) for row in landed}
    leave |= {(move["dataset"], move["old"]) for move in journal.all_of("moved")}
    clean_intake(home, intake_files(home), leave, people, lambda move: journal.add({"moved": move}))
    for week in tell_lists(home, journal.all_of("moved")):
        journal.add({"week": week.isoformat()})
    _forget_in_lake(home, people, journal, say)
    _forget_elsewhere(home, people, journal.stamp)
    weeks = tuple(sorted({dt.date.fromisoformat(week) for week in journal.all_of("week")}))
    remove_moved(home, journal.all_of("moved"))
    say("forgetting: the published file and dbt's")
    if weeks or held_up:
        publish_anew(home, _published_without(home, held_up, Without(people, journal.stamp)))
    _empty_warehouse(home)
    _amend_manifests(home, journal, held_up)
    journal.close()
    return Told(people.user_ids, rows, weeks)


def _with_playlists(home: Home, journal: Journal) -> People:
    """Who goes, and the playlists that were theirs: found once, while their files still say whose they are."""
    if not journal.all_of("playlist_ids"):
        playlists = playlists_of(intake_files(home), journal.user_ids)
        Forgotten(home).remember(playlists, "playlist")
        journal.add({"playlist_ids": sorted(playlists)})
    return People(journal.user_ids, frozenset(journal.all_of("playlist_ids")[0]))


def _held_up(home: Home, journal: Journal) -> list[dt.date]:
    """Weeks that were made again and not published: found once, before the lake's tables change."""
    if not journal.all_of("held_up"):
        weeks = sorted({*committed_weeks(home), *published_weeks(home)})
        journal.add({"held_up": [week.isoformat() for week in weeks if is_held_up(home, week)]})
    return [dt.date.fromisoformat(week) for week in journal.all_of("held_up")[0]]


def _published_without(home: Home, weeks: list[dt.date], without: Without) -> dict[dt.date, Path]:
    """What is published of these weeks, which the lake doesn't have, without those who are forgotten."""
    kept = keep_published(home, weeks)
    for folder in kept.values():
        for path in folder.iterdir():
            _write_without(path, without)
    return kept


def _remove_copies(home: Home) -> None:
    """Remove what is made from landing again when it is wanted: replays, comparisons' weeks, what tuning keeps."""
    for folder in (home.replay, home.comparisons, home.root / "tuning" / "work", home.root / "tuning" / "scores"):
        shutil.rmtree(folder, ignore_errors=True)
    for leftover in home.lake.rglob(".*.writing"):
        leftover.unlink()


def _forget_in_lake(home: Home, people: People, journal: Journal, say: Say) -> None:
    """Every table of every week, those with numbers last."""
    lake = Lake(home.lake)
    for week, tables in lake.weeks().items():
        say(f"forgetting: tables of {week}")
        numbers = {
            number: numbers_of(lake.path(table, week), number, people)
            for table, number in _NUMBERED.items()
            if table in tables
        }
        without = Without(people, journal.stamp, numbers)
        for table in sorted(tables, key=lambda name: (name in _NUMBERED, name)):
            if without.concerns(lake.path(table, week)):
                journal.add({"week": week.isoformat()})
                with lake.rewriting(table, week) as beside:
                    without.write(lake.path(table, week), beside)


def _forget_elsewhere(home: Home, people: People, stamp: str) -> None:
    """Golden listeners, and Parquet files that are neither landing nor lake, such as the truth of a demo world.

    Such files are anybody's. One that can't be read stays, and holds nothing up: the search names it.
    """
    leave_out_golden(home, people.user_ids)
    without = Without(people, stamp)
    for path in sorted(home.root.rglob("*.parquet")):
        is_elsewhere = home.landing not in path.parents and home.lake not in path.parents
        if is_elsewhere and path.is_file() and path.stat().st_size:
            try:
                _write_without(path, without)
            except UnreadableTableError as error:
                LOG.warning(f"forgetting: {error}; it stays as it is, whatever it holds")


def _write_without(path: Path, without: Without) -> None:
    if without.concerns(path):
        with replacing(path) as beside:
            without.write(path, beside)


def _empty_warehouse(home: Home) -> None:
    from dagster_project.assets.warehouse import empty_warehouse  # loads Dagster: two seconds

    empty_warehouse(home)


def _amend_manifests(home: Home, journal: Journal, held_up: list[dt.date]) -> None:
    """Manifests of the weeks concerned as redacted, with hashes of what is there now; then who names them as parent.

    Of weeks that were made again and not published the hashes stay: no manifest vouches for what nobody was given.
    """
    concerned, moves = set(journal.all_of("week")), journal.all_of("moved")
    for week in committed_weeks(home):
        manifest = read_manifest(home, week)
        assert manifest is not None
        changed: dict[str, Any] = {}
        inputs = inputs_now(manifest["inputs"], moves)
        if inputs is not None or week.isoformat() in concerned:
            changed = {"redacted": True, "inputs": inputs or manifest["inputs"]}
        parent = _parent_now(home, manifest["parent"], journal)
        if changed or parent != manifest["parent"]:
            journal.add({"manifest": [week.isoformat(), manifest["hash"]]})
            is_rewritten = bool(changed) and week not in held_up
            amend_manifest(home, week, {**changed, "parent": parent}, tables_changed=is_rewritten)


def _parent_now(home: Home, parent: dict[str, str] | None, journal: Journal) -> dict[str, str] | None:
    """The parent that a manifest names, under the hash it has now; one that was stale before stays so."""
    if parent is None or [parent["week"], parent["hash"]] not in journal.all_of("manifest"):
        return parent
    manifest = read_manifest(home, dt.date.fromisoformat(parent["week"]))
    return {**parent, "hash": manifest["hash"]} if manifest else parent


def forget_arrivals(home: Home, moment: dt.datetime, say: Say) -> int:
    """Take those who were forgotten before out of what has landed since the last call. Rows that went."""
    forgotten = Forgotten(home)
    if not forgotten.hashes("listener"):
        return 0
    landed = take_in(home.landing, home.intake, moment, say).to_arrow().to_pylist()
    checked, files = _checked(home), intake_files(home)
    new = [(dataset, path) for dataset, path in files if f"{dataset}/{path.stem}" not in checked]
    people = _recognised(forgotten, new)
    gone = 0
    if people.user_ids or people.playlist_ids:
        _remove_copies(home)  # tuning reads landing too
        contents = {(dataset, path.stem) for dataset, path in new}
        rows = [row for row in landed if (row["dataset"], row["content_hash"]) in contents]
        moves: list[dict[str, Any]] = []
        gone = rewrite_landing(home, rows, people, moves.append, say)
        leave = {(row["dataset"], row["content_hash"]) for row in landed}
        clean_intake(home, new, leave, people, moves.append)
        remove_moved(home, moves)
    if new:
        _keep_checked(home)
    return gone


def _recognised(forgotten: Forgotten, files: list[tuple[str, Path]]) -> People:
    """Who of those that these files name was forgotten, with the playlists of theirs that are new."""
    named = [people_in(path) for _, path in files]
    listeners = forgotten.recognised(set().union(*(listeners for listeners, _ in named)), "listener")
    forgotten.remember(playlists_of(files, listeners), "playlist")
    return People(listeners, forgotten.recognised(set().union(*(playlists for _, playlists in named)), "playlist"))


def _checked(home: Home) -> frozenset[str]:
    path = home.intake / _CHECKED
    return frozenset(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else frozenset()


def _keep_checked(home: Home) -> None:
    names = [f"{dataset}/{path.stem}" for dataset, path in intake_files(home)]
    replace_file(home.intake / _CHECKED, json.dumps(names).encode())
