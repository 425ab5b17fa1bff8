"""When Mondays are rehearsed, and whether enough was played since for it."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.home import Home
from dagster_project.inputs import fix_week_files
from dagster_project.rehearsal import is_worth_it, rehearsed_mondays
from models_ml.ranker.params import RankerParams
from tests.worlds import MONDAY, land_small_world

WEEK = dt.timedelta(weeks=1)


def committed(home: Home, *weeks: dt.date) -> Home:
    for week in weeks:
        home.models(week).mkdir(parents=True)
        home.manifest(week).write_text("{}")
    return home


@pytest.mark.parametrize("ago", [1, 4])
def test_where_a_list_can_be_learnt_from_nothing_is_rehearsed(tmp_path: Path, ago: int) -> None:
    assert rehearsed_mondays(committed(Home(tmp_path), MONDAY - ago * WEEK), MONDAY, RankerParams()) == []


@pytest.mark.parametrize("others", [(), (-5,), (0,), (1,)])
def test_a_week_without_such_a_list_rehearses_the_mondays_before_it(tmp_path: Path, others: tuple[int, ...]) -> None:
    home, params = committed(Home(tmp_path), *(MONDAY + number * WEEK for number in others)), RankerParams()
    assert rehearsed_mondays(home, MONDAY, params) == [MONDAY - WEEK]
    assert rehearsed_mondays(home, MONDAY, replace(params, rehearsed_weeks=2)) == [MONDAY - 2 * WEEK, MONDAY - WEEK]
    assert rehearsed_mondays(home, MONDAY, replace(params, rehearsed_weeks=2, training_weeks=1)) == [MONDAY - WEEK]
    for off in ({"rehearsed_weeks": 0}, {"learned": False}, {"example_listeners": 0}):
        assert rehearsed_mondays(home, MONDAY, replace(params, **off)) == []


def landed(root: Path) -> Home:
    home = Home(root)
    home.prepare()
    land_small_world(home.landing, until=MONDAY)
    return home


def fixed(home: Home) -> Home:
    fix_week_files(home, MONDAY, dt.datetime(2026, 11, 23, 1), False, lambda _: None)
    return home


def test_it_is_worth_it_where_so_many_pairs_of_listener_and_track_began_since(tmp_path: Path) -> None:
    home, first = fixed(landed(tmp_path)), MONDAY - WEEK
    events = pq.read_table(home.landing / "events" / "history.parquet").to_pylist()
    began: dict[tuple[str, str], dt.datetime] = {}
    for row in events:
        if row["event_type"] != "play":
            continue
        pair = row["user_id"], row["track_id"]
        began[pair] = min(began.get(pair, row["occurred_at"]), row["occurred_at"])
    count = sum(moment >= dt.datetime.combine(first, dt.time()) for moment in began.values())
    assert count > 50
    for asked, is_enough in ((count // 1.1, True), (count * 1.1, False)):
        params = RankerParams(minimum_positives=int(asked))
        assert is_worth_it(home, MONDAY, first, params) is is_enough, params.fewest_examples


def test_what_is_no_play_begins_nothing_and_a_file_of_other_columns_is_read_too(tmp_path: Path) -> None:
    home, first = landed(tmp_path), MONDAY - WEEK
    others = [
        {
            "user_id": f"v{number}",
            "track_id": "t0001",
            "event_type": ("Impression", "save")[number % 2],
            "occurred_at": "2026-11-20 10:00:00",
        }
        for number in range(1000)
    ]
    pq.write_table(pa.Table.from_pylist(others), home.landing / "events" / "others.parquet")
    fixed(home)
    assert not is_worth_it(home, MONDAY, first, RankerParams(minimum_positives=500))


def test_totals_alone_are_not_worth_it(tmp_path: Path) -> None:
    home = landed(tmp_path)
    (home.landing / "events" / "history.parquet").unlink()
    counts = [{"user_id": "u1", "track_id": "t0001", "play_count": 3}]
    (home.landing / "play_counts").mkdir()
    pq.write_table(pa.Table.from_pylist(counts), home.landing / "play_counts" / "all.parquet")
    assert not is_worth_it(fixed(home), MONDAY, MONDAY - WEEK, RankerParams())
