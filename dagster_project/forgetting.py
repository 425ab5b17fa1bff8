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
    Rows,
    clean_intake,
    inputs_now,
    intake_files,
    listed_contents,
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
from models_ml.forgetting.landing_files import people_in, theirs_in
from models_ml.forgetting.people import People
from models_ml.forgetting.tables import UnreadableTableError, Without, numbers_of
from models_ml.landing.hashes import FileState
from models_ml.landing.intake import intake_path, take_in
from models_ml.landing.storage import replace_file, replacing

Say = Callable[[str], None]
# Tables that give everyone their number: written last, so that a forgetting that goes on still finds who goes.
_NUMBERED = {"features/listeners": "user_index", "features/playlist_texts": "playlist_index"}
_LOOKED_THROUGH = "_checked.json"


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
        playlists = journal.known_playlist_ids | playlists_of(intake_files(home), journal.user_ids)
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
    forgotten, gone = Forgotten(home), 0
    if not forgotten.hashes("listener"):
        return gone
    landed = take_in(home.landing, home.intake, moment, say).to_arrow().to_pylist()
    arrived = _arrived(home)
    people = _recognised(home, forgotten, arrived)
    if _reaches_back(home, forgotten, people, arrived):
        journal = Journal(home)
        journal.begin(people.user_ids, people.playlist_ids)
        gone = _complete(home, journal, moment, say).rows
    elif people.user_ids or people.playlist_ids:
        forgotten.remember(people.playlist_ids, "playlist")
        gone = _take_out(home, landed, arrived, people, say)
    if arrived:
        _keep_looked_through(home)
    return gone


def _recognised(home: Home, forgotten: Forgotten, arrived: list[tuple[str, Path]]) -> People:
    """Who of those that these files name was forgotten, with the playlists that were theirs or now are."""
    named = [people_in(path) for _, path in arrived]
    listeners = forgotten.recognised(set().union(*(listeners for listeners, _ in named)), "listener")
    playlists = forgotten.recognised(set().union(*(playlists for _, playlists in named)), "playlist")
    owned = playlists_of(intake_files(home), listeners) if listeners else frozenset()
    return People(listeners, playlists | owned)


def _reaches_back(home: Home, forgotten: Forgotten, people: People, arrived: list[tuple[str, Path]]) -> bool:
    """Whether what has landed is about earlier files: a playlist in them turns out to be theirs, or one of them, which
    weeks were made with, is back as it was. Then all that was made of them is to be written again too.
    """
    found = People(frozenset(), people.playlist_ids - forgotten.recognised(people.playlist_ids, "playlist"))
    earlier = [file for file in intake_files(home) if found.playlist_ids and file not in arrived]
    if any(theirs_in(path, found) for _, path in earlier):
        return True
    listed = listed_contents(home) if people.user_ids or people.playlist_ids else set()
    return any((dataset, path.stem) in listed and theirs_in(path, people) for dataset, path in arrived)


def _take_out(home: Home, landed: Rows, arrived: list[tuple[str, Path]], people: People, say: Say) -> int:
    """What is theirs out of files that no week was made with. Rows that went."""
    _remove_copies(home)  # tuning reads landing too
    contents = {(dataset, path.stem) for dataset, path in arrived}
    rows = [row for row in landed if (row["dataset"], row["content_hash"]) in contents]
    moves: list[dict[str, Any]] = []
    gone = rewrite_landing(home, rows, people, moves.append, say)
    leave = {(row["dataset"], row["content_hash"]) for row in landed}
    clean_intake(home, arrived, leave, people, moves.append)
    remove_moved(home, moves)
    return gone


def _arrived(home: Home) -> list[tuple[str, Path]]:
    """What was taken in, or written anew, since the last look."""
    path = home.intake / _LOOKED_THROUGH
    before = frozenset(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else frozenset()
    return [(dataset, file) for dataset, file in intake_files(home) if _as_it_is(dataset, file) not in before]


def _keep_looked_through(home: Home) -> None:
    names = [_as_it_is(dataset, file) for dataset, file in intake_files(home)]
    replace_file(home.intake / _LOOKED_THROUGH, json.dumps(names).encode())


def _as_it_is(dataset: str, file: Path) -> str:
    """The name of a content and the state of its file: one that went, or was filtered, and is back is another."""
    state = FileState.of(file)
    return f"{dataset}/{file.stem} {state.size_bytes} {state.modified_ns}"
