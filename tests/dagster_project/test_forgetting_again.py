"""Forgetting on a home's files, without a run: files that can't be read, and what lands again later."""

import datetime as dt
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.cli import main
from dagster_project.forgetting import forget, forget_landed
from dagster_project.forgetting_landing import LISTS
from dagster_project.forgotten import Forgotten
from dagster_project.home import Home
from dagster_project.lake import Lake
from models_ml.landing.intake import intake_path, take_in
from models_ml.landing.report import IntakeFile
from tests.worlds import MONDAY

MOMENT = dt.datetime(2026, 11, 20)
LATER = MOMENT + dt.timedelta(weeks=1)
HEADER = "user_id,event_type,track_id,occurred_at,context_id\n"
GONE, STAYS = "person-003", "person-004"


def _quiet(line: str) -> None:
    """Progress that nobody reads."""


class KilledError(Exception):
    """What stands for the end of a process."""


def _land(home: Home, name: str, text: str) -> Path:
    path = home.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _file(home: Home, path: Path) -> IntakeFile:
    """What intake says of a landing file."""
    name = path.relative_to(home.landing).as_posix()
    (file,) = (file for file in take_in(home.landing, home.intake, LATER).files if file.path == name)
    return file


def _make_week(home: Home) -> None:
    """A week reads what lies in landing."""
    Lake(home.lake).replace_week(LISTS, MONDAY, take_in(home.landing, home.intake, MOMENT).to_arrow())


def _listed(home: Home) -> dict[str, tuple[str, int, dt.datetime]]:
    """The week's files: hash, rows and when they were first seen; each of them is there as it says."""
    rows = Lake(home.lake).read_week(LISTS, MONDAY).to_pylist()
    for row in rows:
        table = pq.read_table(intake_path(home.intake, row["dataset"], row["content_hash"]))
        assert table["_file_hash"].unique().to_pylist() in ([row["content_hash"]], [])
        assert len(table) == row["row_count"]
    return {row["path"]: (row["content_hash"], row["row_count"], row["first_seen_at"]) for row in rows}


def _taken_in(home: Home, dataset: str, column: str) -> set[str]:
    """All values of a column in everything that is taken in of a dataset."""
    tables = [pq.read_table(path) for path in (home.intake / dataset).glob("*.parquet")]
    return {value for table in tables for value in table[column].to_pylist()}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Nothing has landed."""
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def test_a_table_that_cannot_be_read_holds_nothing_up_and_is_named(
    home: Home, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    exports = home.root / "exports"
    (exports / "folder.parquet").mkdir(parents=True)
    pq.write_table(pa.table({"user_id": [GONE, STAYS]}), exports / "z.parquet")
    (exports / "x.parquet").write_bytes((exports / "z.parquet").read_bytes()[:-9])
    (exports / "empty.parquet").touch()
    with caplog.at_level(logging.WARNING, "monday_mix"):
        told = forget(home, frozenset({GONE}), MOMENT, _quiet)
    assert told.user_ids == {GONE}
    assert not (home.root / "forgetting.jsonl").exists()
    assert pq.read_table(exports / "z.parquet")["user_id"].to_pylist() == [STAYS]
    (line,) = caplog.messages
    assert "exports/x.parquet: can't be read" in line
    assert main(["forget", "nobody-001", "--home", str(home.root)]) == 1
    assert "exports/x.parquet: can't be read, so that nobody knows what it holds" in capsys.readouterr().out


@pytest.mark.parametrize("is_listed", [True, False], ids=["a-week-read-it", "no-week-read-it"])
@pytest.mark.parametrize(
    ("theirs", "left"),
    [
        (f"{GONE},play,t1,2026-11-19T00:00:00,\n", ""),
        (
            f"{STAYS},play,t2,2026-11-19T00:00:00,discover:2026-11-16:{GONE}\n",
            f"{STAYS},play,t2,2026-11-19T00:00:00,discover:2026-11-16:\n",
        ),
    ],
    ids=["a-row", "a-list-named"],
)
def test_a_file_that_was_put_away_is_rewritten_when_it_comes_back(
    home: Home, is_listed: bool, theirs: str, left: str
) -> None:
    others = f"{STAYS},play,t1,2026-11-19T00:00:00,\n"
    january = _land(home, "events/jan.csv", HEADER + theirs + others)
    if is_listed:
        _make_week(home)
    forget(home, frozenset({"somebody-001"}), MOMENT, _quiet)
    forget_landed(home, MOMENT, _quiet)  # all that has landed is looked through for one who isn't in it
    away = january.rename(home.root.parent / "jan.csv")
    forget(home, frozenset({GONE}), MOMENT, _quiet)
    for _ in range(2):  # as often as it comes back
        shutil.copy2(away, january)
        assert GONE in january.read_text()
        forget_landed(home, LATER, _quiet)
        assert january.read_text() == HEADER + left + others
        assert GONE not in _taken_in(home, "events", "user_id")
        assert f"discover:2026-11-16:{GONE}" not in _taken_in(home, "events", "context_id")
        file = _file(home, january)
        assert (file.row_count, file.first_seen_at) == (1 + bool(left), MOMENT.replace(tzinfo=dt.UTC))
        if is_listed:
            assert _listed(home) == {"events/jan.csv": (file.content_hash, file.row_count, MOMENT)}
    assert not (home.root / "forgetting.jsonl").exists()
    assert forget_landed(home, LATER, _quiet) == 0


def test_a_rewritten_file_that_is_restored_as_it_was_is_rewritten_again(home: Home) -> None:
    others = f"{STAYS},play,t1,2026-11-19T00:00:00,\n"
    january = _land(home, "events/jan.csv", f"{HEADER}{GONE},play,t1,2026-11-19T00:00:00,\n{others}")
    backup = shutil.copy2(january, home.root.parent / "jan.csv")
    forget(home, frozenset({"somebody-001"}), MOMENT, _quiet)
    forget_landed(home, MOMENT, _quiet)
    forget(home, frozenset({GONE}), MOMENT, _quiet)
    shutil.copy2(backup, january)
    assert forget_landed(home, LATER, _quiet) == 1
    assert january.read_text() == HEADER + others
    assert _taken_in(home, "events", "user_id") == {STAYS}


def _land_entries_first(home: Home) -> Path:
    """A week has read the tracks of three playlists; that one is of a forgotten listener alone is known later."""
    entries = _land(home, "playlist_tracks/e.csv", "playlist_id,track_id\np8,t1\np9,t1\np10,t1\n")
    _land(home, "playlists/old.csv", f"playlist_id,title,owner_id\np10,Ours,{STAYS}\n")
    forget(home, frozenset({GONE}), MOMENT, _quiet)
    forget_landed(home, MOMENT, _quiet)
    _make_week(home)
    owners = f"p8,Others,{STAYS}\np9,Mine,{GONE}\np10,Ours,{GONE}\n"
    _land(home, "playlists/new.csv", f"playlist_id,title,owner_id\n{owners}")
    return entries


@pytest.mark.parametrize("is_put_away", [False, True], ids=["in-landing", "put-away"])
def test_tracks_that_land_before_their_playlist_go_with_it(home: Home, is_put_away: bool) -> None:
    entries = _land_entries_first(home)
    away = home.root.parent / "e.csv"
    if is_put_away:
        entries.rename(away)
    forget_landed(home, LATER, _quiet)
    if is_put_away:
        assert _taken_in(home, "playlist_tracks", "playlist_id") == {"p8", "p10"}
        away.rename(entries)
        assert forget_landed(home, LATER, _quiet) == 1
    assert entries.read_text() == "playlist_id,track_id\np8,t1\np10,t1\n"
    assert (home.landing / "playlists/new.csv").read_text() == f"playlist_id,title,owner_id\np8,Others,{STAYS}\n"
    assert (home.landing / "playlists/old.csv").read_text() == f"playlist_id,title,owner_id\np10,Ours,{STAYS}\n"
    assert _taken_in(home, "playlist_tracks", "playlist_id") == {"p8", "p10"}
    assert Forgotten(home).recognised(["p8", "p9", "p10"], "playlist") == {"p9"}
    assert _listed(home)["playlist_tracks/e.csv"][1] == 2
    assert forget_landed(home, LATER, _quiet) == 0


def _killed_before_replacing(home: Home, number: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the process got as far as to put its n-th file in place, and ended there."""
    replace, left = os.replace, iter(range(number))

    def replace_or_end(source: Path, target: Path) -> None:
        if next(left, None) is None:
            raise KilledError(target)
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace_or_end)
        try:
            forget_landed(home, LATER, _quiet)
        except KilledError:
            return True
    return False


def _bring_back(home: Home) -> Path:
    """A file that a week has read, put away while one of its two listeners was forgotten."""
    rows = "".join(f"{user},play,t1,2026-11-19T00:00:00,\n" for user in (GONE, STAYS))
    january = _land(home, "events/jan.csv", HEADER + rows)
    _make_week(home)
    away = january.rename(home.root.parent / "jan.csv")
    forget(home, frozenset({GONE}), MOMENT, _quiet)
    return away.rename(january)


@pytest.mark.parametrize(
    ("begin", "dataset", "column", "left"),
    [
        (_land_entries_first, "playlist_tracks", "playlist_id", {"p8", "p10"}),
        (_bring_back, "events", "user_id", {STAYS}),
    ],
    ids=["tracks-before-their-playlist", "back-as-it-was"],
)
def test_killed_at_any_file_what_reaches_back_is_completed(
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
    begin: Callable[[Home], Path],
    dataset: str,
    column: str,
    left: set[str],
) -> None:
    path = begin(home).relative_to(home.root)
    number, is_killed = 0, True
    while is_killed:
        killed = Home(home.root.with_name(f"killed-{number}"))
        shutil.copytree(home.root, killed.root)
        is_killed = _killed_before_replacing(killed, number, monkeypatch)
        forget_landed(killed, LATER, _quiet)
        lines = (killed.root / path).read_text().splitlines()[1:]
        assert {line.split(",")[0] for line in lines} == left
        assert _taken_in(killed, dataset, column) == left
        assert _taken_in(killed, "playlists", "owner_id") <= {STAYS}
        assert _listed(killed)[f"{dataset}/{path.name}"][1] == len(left)
        assert not (killed.root / "forgetting.jsonl").exists()
        number += 1
    assert number > 5
