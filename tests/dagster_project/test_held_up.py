"""Telling a week that was made again and not published, on a home's files, without a run."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from dagster_project.held_up import begin_making, is_being_made, is_held_up
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import table_hashes
from dagster_project.takedowns import Takedown, begin, is_begun
from tests.worlds import MONDAY

TABLES = ("ml/playlist_slots", "marts/weekly_playlists")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A week of two tables, committed."""
    home = Home(tmp_path)
    for table in TABLES:
        Lake(home.lake).replace_week(table, MONDAY, pa.table({"position": [1, 2]}))
    home.models(MONDAY).mkdir(parents=True)
    _commit(home, "2026-11-23T00:05:00", "first")
    return home


def _commit(home: Home, generated_at: str, manifest_hash: str) -> None:
    tables = table_hashes(home, MONDAY, TABLES)
    home.manifest(MONDAY).write_text(
        json.dumps({"tables": tables, "generated_at": generated_at, "hash": manifest_hash})
    )


def test_a_week_as_its_manifest_has_it_is_not_held_up(home: Home) -> None:
    assert not is_held_up(home, MONDAY)


@pytest.mark.parametrize("table", [*TABLES, "marts/monitoring"])
def test_another_table_than_the_manifest_has_holds_it_up(home: Home, table: str) -> None:
    """The last one is of a release since, which the week was made again by."""
    Lake(home.lake).replace_week(table, MONDAY, pa.table({"position": [2, 1]}))
    assert is_held_up(home, MONDAY)


def test_a_run_that_ended_before_the_lists_holds_it_up_until_another_ends_well(home: Home) -> None:
    begin_making(home, MONDAY)
    assert is_being_made(home, MONDAY)
    assert is_held_up(home, MONDAY)
    _commit(home, "2026-11-23T09:00:00", "first")
    assert not is_held_up(home, MONDAY), "the same tables, published again"


def test_a_week_that_was_never_committed_is_vouched_for_by_nothing(home: Home) -> None:
    home.manifest(MONDAY).unlink()
    begin_making(home, MONDAY)
    assert not is_being_made(home, MONDAY), "there is nothing that it makes again"
    assert is_held_up(home, MONDAY)


def test_only_the_takedown_that_was_killed_goes_on_and_only_in_the_week_it_began_with(home: Home) -> None:
    killed, other = Takedown(track_id="t0001"), Takedown(track_id="t0002")
    assert not is_begun(home, MONDAY, killed)
    begin(home, MONDAY, killed)
    assert is_begun(home, MONDAY, killed)
    assert not is_begun(home, MONDAY, other)
    _commit(home, "2026-11-23T09:00:00", "second")
    assert not is_begun(home, MONDAY, killed)
