"""A home's first Monday with enough listening before it: the Monday before is rehearsed, and lists are learnt."""

import datetime as dt
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dagster_project.cli_run import run_week
from dagster_project.configuration import load_configuration
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.rehearsal import REHEARSED, rehearse
from tests.published import fingerprint
from tests.runs import start_run
from tests.worlds import MONDAY, land_small_world

WEEK = MONDAY - dt.timedelta(weeks=1)
REHEARSED_MONDAY = WEEK - dt.timedelta(weeks=1)
# What is left to chance looks for candidates of its own.
SETTINGS = "[collaborative]\nfactors = 16\n[exploration]\nslot_share = 0.0\n"
RANKER = "[ranker]\nminimum_positives = 100\n"


def landed(root: Path, settings: str = "") -> Home:
    home = Home(root)
    home.prepare()
    home.config_file.write_text(f"{SETTINGS}{RANKER}{settings}")
    land_small_world(home.landing, listeners=300, tracks=900, plays=50, until=WEEK)
    return home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = landed(tmp_path_factory.mktemp("rehearsal"))
    assert run_week(home, WEEK)
    return home


def by_candidate(rows: pa.Table) -> pa.Table:
    kept = [name for name in rows.column_names if name not in ("list_week", "position")]
    return rows.select(kept).sort_by([("user_id", "ascending"), ("recording_id", "ascending")])


def test_a_rehearsal_knows_of_candidates_what_a_run_of_that_monday_knew_before_what_followed(
    home: Home, tmp_path: Path
) -> None:
    then = landed(tmp_path, "rehearsed_weeks = 0\n")
    events = then.landing / "events" / "history.parquet"
    known = pq.read_table(events)
    begins = pa.scalar(dt.datetime.combine(REHEARSED_MONDAY, dt.time()), pa.timestamp("us"))
    pq.write_table(known.filter(pc.less(known["occurred_at"], begins)), events)
    assert run_week(then, REHEARSED_MONDAY)
    rehearsed = Lake(home.lake).read_week(REHEARSED, WEEK)
    assert rehearsed.num_rows > 50_000
    assert pc.unique(rehearsed["list_week"]).to_pylist() == [REHEARSED_MONDAY]
    of_the_run = Lake(then.lake).read_week("ml/ranking_features", REHEARSED_MONDAY)
    assert by_candidate(rehearsed).equals(by_candidate(of_the_run))
    assert Lake(then.lake).row_count(REHEARSED, REHEARSED_MONDAY) == 0
    assert Lake(then.lake).row_count("ranker/ranker", REHEARSED_MONDAY) == 0


def test_the_first_lists_are_learnt_and_no_chance_is_told(home: Home) -> None:
    lake = Lake(home.lake)
    examples = lake.read_week("features/ranking_examples", WEEK)
    assert pc.all(examples["is_rehearsed"]).as_py()
    assert pc.sum(examples["completed"]).as_py() > 200
    assert not pc.any(examples["is_slot"]).as_py()
    assert lake.row_count("ranker/ranker", WEEK) > 0
    slots = lake.read_week("marts/weekly_playlist_tracks", WEEK)
    assert slots.num_rows > 8000
    assert pc.stddev(slots["contribution_demand"]).as_py() > 0, "declared weights have no such part"
    for name in ("p_complete", "p_save", "p_skip"):
        assert slots[name].null_count == slots.num_rows
    assert not home.rehearsal.exists()


def test_a_run_killed_in_its_rehearsal_leaves_nothing_that_the_next_one_minds(home: Home, tmp_path: Path) -> None:
    killed = landed(tmp_path / "killed")
    run = start_run(killed, WEEK, tmp_path / "words")
    written = killed.rehearsal / "warehouse.duckdb"
    until = time.monotonic() + 120
    while not written.exists():
        assert run.poll() is None, (tmp_path / "words").read_text()
        assert time.monotonic() < until, (tmp_path / "words").read_text()
        time.sleep(0.05)
    os.kill(run.pid, signal.SIGKILL)  # the run alone: its dbt goes on, and keeps the lock meanwhile
    run.wait()
    assert run_week(killed, WEEK)
    assert fingerprint(killed.root, WEEK) == fingerprint(home.root, WEEK)
    hashes = [Lake(of.lake).content_hash(REHEARSED, WEEK) for of in (killed, home)]
    assert hashes[0] == hashes[1]
    assert not killed.rehearsal.exists()


def test_part_of_the_listeners_are_rehearsed_where_more_has_landed_than_is_to_be_read(home: Home) -> None:
    settings = load_configuration([home.config_file])
    few = replace(settings, ranker=replace(settings.ranker, rehearsed_events=5_000))
    rows = pa.concat_tables(rehearse(home, WEEK, [REHEARSED_MONDAY], few, None, lambda _: None))
    everyone = set(Lake(home.lake).read_week(REHEARSED, WEEK)["user_id"].to_pylist())
    some = set(rows["user_id"].to_pylist())
    assert some < everyone
    assert 0.2 < len(some) / len(everyone) < 0.47, "a third of the events"


def test_the_week_after_learns_from_its_lists_and_rehearses_nothing(home: Home) -> None:
    # Held up by the gate: the first lists took what is popular of this small catalogue, and nobody played on.
    run_week(home, MONDAY)
    lake = Lake(home.lake)
    assert lake.row_count(REHEARSED, MONDAY) == 0
    examples = lake.read_week("features/ranking_examples", MONDAY).group_by(["list_week", "is_rehearsed"]).aggregate([])
    found = {(row["list_week"], row["is_rehearsed"]) for row in examples.to_pylist()}
    assert found == {(REHEARSED_MONDAY, True), (WEEK, False)}
