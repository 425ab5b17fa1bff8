"""Forgetting in landing and intake: every file rewritten, and every list of files told what became of it.

Belongs here: which files, replacing them, the lists of the weeks and of the reports. Does not: what in a file is theirs
(models_ml/forgetting), the tables of the lake and the order of all steps (forgetting.py).
"""

import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import committed_weeks, read_manifest
from models_ml.errors import InputError
from models_ml.forgetting.landing_files import Theirs, filter_intake, owners_in, theirs_in, write_without
from models_ml.forgetting.people import LISTENER_COLUMNS, PLAYLIST_COLUMN, People
from models_ml.landing.contract import DATASETS
from models_ml.landing.files import format_of
from models_ml.landing.intake import EMPTY_NAME, intake_path, take_in_again, with_duplicates
from models_ml.landing.report import REPORT_SCHEMA, IntakeFile
from models_ml.landing.scan import LandingFile
from models_ml.landing.storage import replacing

OF_LISTENERS = tuple(
    name for name, dataset in DATASETS.items() if {*LISTENER_COLUMNS, PLAYLIST_COLUMN} & set(dataset.column_names)
)
REPORT, LISTS = "reports/intake_files", "inputs/week_files"
# What became of a content: dataset, hash, and hash, size and rows of what it is now; hash None where nothing is left.
Moved = dict[str, Any]
Tell = Callable[[Moved], None]
Rows = list[dict[str, Any]]


def intake_files(home: Home) -> list[tuple[str, Path]]:
    """(dataset, file) of every content taken in whose rows may be somebody's."""
    found = [(name, path) for name in OF_LISTENERS for path in sorted((home.intake / name).glob("*.parquet"))]
    return [(name, path) for name, path in found if path.stem != EMPTY_NAME]


def playlists_of(files: Iterable[tuple[str, Path]], user_ids: frozenset[str]) -> frozenset[str]:
    """Playlists that these listeners own and nobody else does."""
    theirs: set[str] = set()
    of_others: set[str] = set()
    for dataset, path in files:
        if dataset == "playlists":
            owned, other = owners_in(path, user_ids)
            theirs |= owned
            of_others |= other
    return frozenset(theirs - of_others)


def rewrite_landing(home: Home, files: Rows, people: People, moved: Tell, say: Callable[[str], None]) -> int:
    """Each of these files of landing without what is theirs; a file with nothing else in it goes. Rows that went.

    `moved` is told what becomes of a content before the file takes the place of the old one.
    """
    known: dict[tuple[str, str], Theirs] = {}
    gone = 0
    for number, row in enumerate(files, 1):
        say(f"forgetting: landing file {number} of {len(files)}")
        if row["error"] is not None or row["dataset"] not in OF_LISTENERS:
            continue
        content = row["dataset"], row["content_hash"]
        if content not in known:
            known[content] = theirs_in(intake_path(home.intake, *content), people)
        if known[content]:
            _rewrite(home, row, known[content], people, moved)
            gone += len(known[content].rows)
    return gone


def _rewrite(home: Home, row: dict[str, Any], theirs: Theirs, people: People, moved: Tell) -> None:
    was = {"dataset": row["dataset"], "old": row["content_hash"]}
    location = home.landing / row["path"]
    if not theirs.rows_left:
        moved({**was, "new": None})
        location.resolve().unlink(missing_ok=True)
        location.unlink(missing_ok=True)
        return
    file_format = format_of(PurePosixPath(row["path"]), row["dataset"])
    assert file_format is not None
    with replacing(location.resolve()) as beside:
        write_without(location, file_format, theirs, people, beside)
        shutil.copymode(location, beside)
        file = LandingFile(row["dataset"], row["path"], beside, file_format)
        taken_in = take_in_again(home.intake, file, row["first_seen_at"])
        if wrong := _what_is_wrong(home, taken_in, theirs, people):
            raise InputError(
                f"landing/{row['path']}: has rows of a listener to be forgotten, and can't be written without them "
                f"({wrong}); take them out by hand"
            )
        moved({**was, "new": taken_in.content_hash, **_size(taken_in)})


def _what_is_wrong(home: Home, taken_in: IntakeFile, theirs: Theirs, people: People) -> str | None:
    """Why the file written anew isn't the old one without their rows, in words; None where it is."""
    if taken_in.error or taken_in.content_hash is None:
        return taken_in.error
    if taken_in.row_count != theirs.rows_left:
        return f"{taken_in.row_count} rows, not {theirs.rows_left}"
    is_left = theirs_in(intake_path(home.intake, taken_in.dataset, taken_in.content_hash), people)
    return "another row went in place of theirs" if is_left else None


def _size(file: IntakeFile) -> dict[str, int]:
    return {"size_bytes": file.size_bytes, "row_count": file.row_count}


def clean_intake(
    home: Home, files: Iterable[tuple[str, Path]], leave: set[tuple[str, str]], people: People, moved: Tell
) -> None:
    """What was taken in of files that landing has no more, without what is theirs.

    leave: contents, by dataset and hash, of files that landing has, or that were rewritten.
    """
    for dataset, path in files:
        # It can't be read again, and keeps its name and its numbers of rows.
        if (dataset, path.stem) in leave or not theirs_in(path, people):
            continue
        with replacing(path) as beside:
            left = filter_intake(path, people, beside)
            moved({"dataset": dataset, "old": path.stem, "new": path.stem, "row_count": left})


def remove_moved(home: Home, moves: Iterable[Moved]) -> None:
    """Delete what was taken in of contents that are others now."""
    for move in moves:
        if move["new"] != move["old"]:
            intake_path(home.intake, move["dataset"], move["old"]).unlink(missing_ok=True)


def tell_lists(home: Home, moves: Iterable[Moved]) -> list[dt.date]:
    """The lists of files of all weeks with what they are now; the weeks that had any of them."""
    lake, became = Lake(home.lake), _by_content(moves)
    changed = []
    for week, tables in lake.weeks().items():
        if LISTS in tables and _is_among(rows := lake.read_week(LISTS, week).to_pylist(), became):
            lake.replace_week(LISTS, week, pa.Table.from_pylist(now(rows, became), schema=REPORT_SCHEMA))
            changed.append(week)
        if REPORT in tables and _is_among(rows := lake.read_week(REPORT, week).to_pylist(), became):
            schema = lake.read_week(REPORT, week).schema
            lake.replace_week(REPORT, week, pa.Table.from_pylist(_reported(rows, became), schema=schema))
    return changed


def _by_content(moves: Iterable[Moved]) -> Mapping[tuple[str, str], Moved]:
    return {(move["dataset"], move["old"]): move for move in moves}


def listed_contents(home: Home) -> set[tuple[str, str]]:
    """(dataset, hash) of every content that a week's list of files, or its manifest, names."""
    lake = Lake(home.lake)
    lists = [lake.read_week(LISTS, week).to_pylist() for week, tables in lake.weeks().items() if LISTS in tables]
    lists += [(read_manifest(home, week) or {"inputs": []})["inputs"] for week in committed_weeks(home)]
    return {(row["dataset"], row["content_hash"]) for rows in lists for row in rows}


def inputs_now(inputs: Rows, moves: Iterable[Moved]) -> Rows | None:
    """A manifest's list of files as they are now; None where it had none of those that changed."""
    became = _by_content(moves)
    return now(inputs, became) if _is_among(inputs, became) else None


def _is_among(rows: Rows, became: Mapping[tuple[str, str], Moved]) -> bool:
    return any((row["dataset"], row["content_hash"]) in became for row in rows)


def now(rows: Rows, became: Mapping[tuple[str, str], Moved]) -> Rows:
    """Rows of a list of files, each as its file is now; files that went are left out, copies found anew."""
    kept = []
    for row in rows:
        move = became.get((row["dataset"], row["content_hash"]))
        if move is None or move["new"] is not None:
            kept.append({**row, **_said(move or {})})
    of_path = sorted(range(len(kept)), key=lambda place: str(kept[place]["path"]))
    files = with_duplicates(tuple(IntakeFile(**{**kept[place], "duplicate_of": None}) for place in of_path))
    for place, file in zip(of_path, files, strict=True):
        kept[place] = dataclasses.asdict(file)
    return kept


def _said(move: Moved) -> dict[str, Any]:
    said = {"content_hash": move["new"]} if move else {}
    return {**said, **{name: move[name] for name in ("size_bytes", "row_count") if name in move}}


def _reported(rows: Rows, became: Mapping[tuple[str, str], Moved]) -> Rows:
    """The week's account of its files: what it counted stays, since that is what it was made with."""
    moves = [became.get((row["dataset"], row["content_hash"])) for row in rows]
    kept = [(row, move) for row, move in zip(rows, moves, strict=True) if move is None or move["new"] is not None]
    return [{**row, "content_hash": move["new"] if move else row["content_hash"]} for row, move in kept]
