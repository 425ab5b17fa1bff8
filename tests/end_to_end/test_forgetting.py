"""Forgetting a listener: nothing of theirs is in any file, all else stays, killed or not, and later Mondays run."""

import datetime as dt
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from dagster_project.cli import main
from dagster_project.forgetting import forget_landed
from dagster_project.forgotten import Forgotten
from dagster_project.home import REPOSITORY, Home
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest, stale_weeks
from dagster_project.run_lock import hold_run_lock
from tests.published import published_tables, query
from tests.worlds import MONDAY as NEXT
from tests.worlds import land, land_small_world

MONDAY = NEXT - dt.timedelta(weeks=1)  # the week after it is run too, and has to have begun
WEEKS = [MONDAY - dt.timedelta(weeks=1), MONDAY]
SETTINGS = "[collaborative]\nfactors = 16\n[evaluation]\nwindow_weeks = 1\n[text]\nvector_size = 16\n"
GONE, ALSO_GONE, STAYS = "person-003", "person-007", "person-004"
PATIENCE_SECONDS = 240


def _forget(home: Home, *users: str) -> int:
    return main(["forget", *users, "--home", str(home.root)])


def _run(home: Home, week: dt.date) -> int:
    return main(["run", "--week", str(week), "--home", str(home.root)])


def _named(table: pa.Table) -> pa.Table:
    """The small world's listeners under ids that are nothing else wherever they stand."""
    named = pc.replace_substring(table["user_id"], "u", "person-", max_replacements=1)
    return table.set_column(table.schema.get_field_index("user_id"), "user_id", named)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two Mondays, landed in every format, with whatever else a listener leaves."""
    home = Home(tmp_path_factory.mktemp("forgetting"))
    land_small_world(home.landing, listeners=24, tracks=240, until=MONDAY)
    home.config_file.write_text(SETTINGS)
    for name in ("users/users.parquet", "events/history.parquet"):
        land(home.landing, name, _named(pq.read_table(home.landing / name)))
    events = pq.read_table(home.landing / "events" / "history.parquet")
    (home.landing / "events" / "history.parquet").unlink()
    is_early = pc.less(events["occurred_at"], dt.datetime.combine(WEEKS[0], dt.time()))
    _land_events(home.landing / "events", events.filter(is_early))
    _land_others(home.landing)
    assert _run(home, WEEKS[0]) == 0
    land(home.landing, "events/late.parquet", events.filter(pc.invert(is_early)))
    _land_feedback(home)
    assert _run(home, WEEKS[1]) == 0
    return home


def _land_events(folder: Path, events: pa.Table) -> None:
    """A sixth each: CSV, NDJSON, each plain, gz and zst."""
    folder.mkdir(exist_ok=True)
    sixth = -(-len(events) // 6)
    for place, (kind, ending) in enumerate(
        (kind, ending) for kind in ("csv", "ndjson") for ending in ("", "gz", "zst")
    ):
        rows = events.slice(place * sixth, sixth)
        path = folder / f"{place}.{kind}{'.' if ending else ''}{ending}"
        with pa.output_stream(str(path), compression={"": None, "gz": "gzip", "zst": "zstd"}[ending]) as stream:
            if kind == "csv":
                pa_csv.write_csv(rows, stream)
                stream.write(f'broken,"{GONE}"\n'.encode())
            else:
                lines = [json.dumps(row, default=str) for row in rows.to_pylist()]
                stream.write("\n".join([*lines, f'{{"user_id": "{GONE}", ', ""]).encode())


def _land_others(landing: Path) -> None:
    moment = dt.datetime.combine(WEEKS[0], dt.time()) - dt.timedelta(days=3)
    land(
        landing,
        "playlists/p.parquet",
        [
            {"playlist_id": f"p-{owner}", "title": f"Songs of {owner}", "owner_id": owner, "updated_at": moment}
            for owner in (GONE, STAYS)
        ],
    )
    entries = [{"playlist_id": f"p-{owner}", "track_id": f"t{n:04d}"} for owner in (GONE, STAYS) for n in range(9)]
    land(landing, "playlist_tracks/p.parquet", entries)
    land(landing, "track_tags/only-theirs.parquet", [{"track_id": "t0001", "tag": "mine", "user_id": GONE}])
    land(
        landing,
        "play_counts/c.parquet",
        [{"user_id": who, "track_id": "t0002", "play_count": 3} for who in (GONE, STAYS)],
    )
    land(landing, "subscriptions/s.parquet", [{"user_id": GONE, "event": "trial", "occurred_at": moment}])
    soon = [{"user_id": GONE, "event_type": "hum", "occurred_at": "soon", "friend": "someone"}]
    land(landing, "events/quarantined.parquet", soon)


def _land_feedback(home: Home) -> None:
    """Both went through the one's list: plays of another in it are theirs, and name whose list it is."""
    rows = query(home.root, "select track_id from latest_playlists where user_id = ? and position < 4", GONE)
    base = {"event_type": "play", "ms_played": 170_000, "context_id": f"discover:{WEEKS[0]}:{GONE}"}
    moment = dt.datetime.combine(WEEKS[0], dt.time()) + dt.timedelta(days=2)
    land(
        home.landing,
        "events/feedback.parquet",
        [{**base, "user_id": who, "track_id": row[0], "occurred_at": moment} for row in rows for who in (GONE, STAYS)],
    )


def _copy(home: Home, place: Path) -> Home:
    shutil.copytree(home.root, place, symlinks=True)
    return Home(place)


@pytest.fixture(scope="module")
def forgotten(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home without one of its listeners."""
    without = _copy(home, tmp_path_factory.mktemp("forgotten") / "home")
    assert _forget(without, GONE) == 0
    return without


def holding(home: Home, user_id: str) -> list[str]:
    """Files that have an id in them, looked for apart from the code under test: bytes, unpacked bytes, values."""
    return sorted(
        path.relative_to(home.root).as_posix()
        for path in home.root.rglob("*")
        if path.is_file() and any(user_id.encode() in content for content in _contents(path))
    )


def _contents(path: Path) -> list[bytes]:
    contents = [path.name.encode(), path.read_bytes()]
    if path.suffix == ".gz":
        contents.append(gzip.decompress(contents[1]))
    if path.suffix == ".zst":
        with pa.input_stream(str(path), compression="zstd") as stream:
            contents.append(stream.read())
    if path.suffix == ".parquet":
        contents.append(repr(pq.read_table(path, partitioning=None).to_pylist()).encode())
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall():
                contents.append(repr(connection.execute(f"select * from {name}").fetchall()).encode())
    return contents


def test_what_is_searched_for_was_everywhere(home: Home) -> None:
    layers = {"/".join(name.split("/")[:2]) for name in holding(home, GONE)}
    expected = {
        f"landing/{name}" for name in ("events", "users", "playlists", "play_counts", "track_tags", "subscriptions")
    }
    expected |= {"lake/intake", "lake/features", "lake/marts", "lake/vectors", "lake/ml", "lake/reports", "lake/.dbt"}
    assert expected | {"warehouse.duckdb", "published/monday_mix.duckdb"} <= layers


def test_no_file_has_anything_of_theirs(forgotten: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert holding(forgotten, GONE) == []
    assert holding(forgotten, STAYS) != []
    assert _forget(forgotten, GONE) == 0, "again: nothing is left to do"
    said = capsys.readouterr().out
    assert f"{GONE}: forgotten; 0 rows of landing files went, no week had anything of theirs" in said
    assert "bytes: not found" in said
    assert not (forgotten.root / "forgetting.jsonl").exists()
    assert ((forgotten.root / "forgotten.key").stat().st_mode & 0o777) == 0o600


def test_lists_of_everyone_else_stay_what_they_were(home: Home, forgotten: Home) -> None:
    for week in WEEKS:
        before, after = published_tables(home.root, week), published_tables(forgotten.root, week)
        for name, rows in before.items():
            theirs = pc.equal(rows["user_id"], GONE) if "user_id" in rows.column_names else None
            assert after[name].equals(rows if theirs is None else rows.filter(pc.invert(theirs))), name


def test_numbers_of_a_week_close_up_in_all_its_tables_alike(home: Home, forgotten: Home) -> None:
    listeners, left = (
        Lake(one.lake).read_week("features/listeners", MONDAY)["user_id"].to_pylist() for one in (home, forgotten)
    )
    assert left == [user_id for user_id in listeners if user_id != GONE]
    for table in ("ml/playlist_slots", "features/interactions", "candidates/candidates", "vectors/listener_starts"):
        before, after = (Lake(one.lake).read_week(table, MONDAY) for one in (home, forgotten))
        whose = [listeners[index] for index in before["user_index"].to_pylist()]
        assert [left[index] for index in after["user_index"].to_pylist()] == [one for one in whose if one != GONE], (
            table
        )
        rest = before.filter(pc.not_equal(before["user_index"], listeners.index(GONE))).drop_columns("user_index")
        assert after.drop_columns("user_index").equals(rest), table
    titles = Lake(forgotten.lake).read_week("features/playlist_texts", MONDAY)
    assert titles.select(["playlist_index", "title"]).to_pylist() == [
        {"playlist_index": 0, "title": f"Songs of {STAYS}"}
    ]


def test_files_keep_when_they_were_first_seen_and_weeks_name_them_as_they_are(home: Home, forgotten: Home) -> None:
    for week in WEEKS:
        before, after = read_manifest(home, week), read_manifest(forgotten, week)
        assert before is not None
        assert after is not None
        assert (before["redacted"], after["redacted"]) == (False, True)
        assert before["hash"] not in json.dumps(after)
        seen = {row["path"]: row["first_seen_at"] for row in after["inputs"]}
        was = {row["path"]: row["first_seen_at"] for row in before["inputs"]}
        only_theirs = {"track_tags/only-theirs.parquet", "subscriptions/s.parquet", "events/quarantined.parquet"}
        assert seen == {path: moment for path, moment in was.items() if path not in only_theirs}
        files = Lake(forgotten.lake).read_week("inputs/week_files", week)
        assert sorted(files["content_hash"].to_pylist()) == sorted(row["content_hash"] for row in after["inputs"])
    assert stale_weeks(forgotten) == []


def test_a_forgetting_killed_at_any_step_is_completed_by_whatever_runs_next(
    home: Home, forgotten: Home, tmp_path: Path
) -> None:
    expected = {week: (read_manifest(forgotten, week) or {})["tables"] for week in WEEKS}
    for step in ("landing/events", "lake/inputs", "lake/features", "lake/marts", "published", "models"):
        killed = _copy(home, tmp_path / "killed")
        _kill_once_written(killed, killed.root / step)
        assert Forgotten(killed).recognised([GONE], "listener") == {GONE}, "the request stands"
        assert (killed.root / "forgetting.jsonl").stat().st_mode & 0o777 == 0o600
        assert _forget(killed) == 0, "without a name: what was begun goes on"
        assert holding(killed, GONE) == []
        for week in WEEKS:
            manifest = read_manifest(killed, week) or {}
            assert (manifest["redacted"], manifest["tables"]) == (True, expected[week])
        assert stale_weeks(killed) == []
        for week in WEEKS:
            for name, rows in published_tables(forgotten.root, week).items():
                assert published_tables(killed.root, week)[name].equals(rows), name
        shutil.rmtree(killed.root)


def _kill_once_written(home: Home, folder: Path) -> None:
    """Start the command and kill it and its children as soon as a file below the folder is new."""
    before = _newest(folder)
    command = [sys.executable, "-m", "dagster_project.cli", "forget", GONE, "--home", str(home.root)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, start_new_session=True)
    give_up = time.monotonic() + PATIENCE_SECONDS
    while _newest(folder) == before and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def _newest(folder: Path) -> int:
    return max((path.stat().st_mtime_ns for path in folder.rglob("*") if path.name[0] != "."), default=0)


def test_a_takedown_still_mends_the_newest_week(forgotten: Home, tmp_path: Path) -> None:
    mended = _copy(forgotten, tmp_path / "home")
    track = query(mended.root, "select track_id from latest_playlists group by 1 order by count(*) desc, 1 limit 1")[0][
        0
    ]
    assert _forget(mended, GONE) == 0
    assert main(["takedown", str(track), "--home", str(mended.root)]) == 0
    assert query(mended.root, "select 1 from latest_playlists where track_id = ?", track) == []


def test_the_next_monday_forgets_who_landed_and_who_comes_again(forgotten: Home, tmp_path: Path) -> None:
    later = _copy(forgotten, tmp_path / "home")
    midnight = dt.datetime.combine(MONDAY, dt.time())
    asked = [{"user_id": f" {ALSO_GONE} ", "requested_at": midnight + dt.timedelta(days=2)}]
    land(later.landing, "deletions/d.parquet", asked)
    rows = [
        {
            "user_id": who,
            "event_type": "play",
            "track_id": "t0009",
            "occurred_at": midnight + dt.timedelta(days=1),
            "ms_played": 170_000,
        }
        for who in (GONE, STAYS)
    ]
    land(later.landing, "events/again.parquet", rows)
    # Owned by nobody now, and still the playlist of one who was forgotten.
    land(later.landing, "playlists/again.parquet", [{"playlist_id": f"p-{GONE}", "title": "Again", "owner_id": None}])
    land(later.landing, "users/again.parquet", [{"user_id": GONE, "market": "DE"}])
    assert _run(later, NEXT) == 0
    assert [holding(later, user_id) for user_id in (GONE, ALSO_GONE)] == [[], []]
    assert not list((later.landing / "deletions").iterdir())
    assert not (later.landing / "users" / "again.parquet").exists()
    assert pq.read_table(later.landing / "events" / "again.parquet")["user_id"].to_pylist() == [STAYS]
    given = {row[0] for row in query(later.root, "select distinct user_id from weekly_playlists")}
    assert given == {f"person-{n:03d}" for n in range(24)} - {GONE, ALSO_GONE}
    assert [(read_manifest(later, week) or {})["redacted"] for week in (*WEEKS, NEXT)] == [True, True, False]
    assert stale_weeks(later) == []
    counted = Lake(later.lake).read_week("reports/intake_files", NEXT).to_pylist()
    parts = ("accepted_count", "pending_count", "quarantined_count", "duplicate_count")
    assert all(row["row_count"] == sum(row[name] for name in parts) for row in counted)


def test_files_that_come_back_after_they_were_put_away_leave_all_as_if_they_had_been_there(
    home: Home, forgotten: Home, tmp_path: Path
) -> None:
    later, away = _copy(home, tmp_path / "home"), tmp_path / "away"
    away.mkdir()
    names = ("events/0.csv", "play_counts/c.parquet", "track_tags/only-theirs.parquet", "playlist_tracks/p.parquet")
    for name in names:
        shutil.move(later.landing / name, away / name.replace("/", "-"))
    assert _forget(later, GONE) == 0
    assert holding(later, GONE) == []
    for name in names:
        shutil.copy2(away / name.replace("/", "-"), later.landing / name)
    assert holding(later, GONE) != []
    moment = dt.datetime.combine(NEXT, dt.time())
    with hold_run_lock(later.root, print):
        assert forget_landed(later, moment, print) > 0
        assert forget_landed(later, moment, print) == 0
    assert holding(later, GONE) == []
    for name in names:
        came_back, was_there = (one.landing / name for one in (later, forgotten))
        assert came_back.exists() == was_there.exists()
        assert not was_there.exists() or came_back.read_bytes() == was_there.read_bytes()
    for week in WEEKS:
        manifest, expected = read_manifest(later, week) or {}, read_manifest(forgotten, week) or {}
        assert [manifest[part] for part in ("redacted", "inputs")] == [True, expected["inputs"]]
        for table, rows in published_tables(forgotten.root, week).items():
            assert published_tables(later.root, week)[table].equals(rows), table
    assert stale_weeks(later) == []


def test_a_redacted_week_is_held_against_its_first_replay(forgotten: Home, capsys: pytest.CaptureFixture[str]) -> None:
    replay = ["replay", "--week", str(WEEKS[0]), "--home", str(forgotten.root)]
    assert main(replay) == 0
    assert "made with listeners who were forgotten since; what it is without them is kept" in capsys.readouterr().out
    assert main(replay) == 0
    assert "the same as at its first replay without those who were forgotten" in capsys.readouterr().out
    kept = forgotten.models(WEEKS[0]) / "replayed.json"
    kept.write_text(kept.read_text().replace('"ml/playlist_slots": {', '"ml/playlist_slots": {"other": 1,'))
    assert main(replay) == 1
    assert "parts at ml/playlist_slots" in capsys.readouterr().out


def test_what_cannot_be_rewritten_is_named(forgotten: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = _copy(forgotten, tmp_path / "home")
    (kept.landing / "events" / "notes.txt").write_text(f"ask {STAYS}")
    assert _forget(kept, STAYS) == 1
    said = capsys.readouterr().out
    assert "found in 1 files" in said
    assert "landing/events/notes.txt: its bytes" in said


def test_nobody_named_and_nobody_landed_changes_nothing(forgotten: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert _forget(forgotten) == 0
    assert "nothing was forgotten" in capsys.readouterr().out
