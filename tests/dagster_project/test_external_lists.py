"""Lists of another system: landed for one Monday, scored by the next beside ours."""

import datetime as dt
from collections import defaultdict

import pyarrow.parquet as pq
import pytest

from dagster_project.cli_run import run_week
from dagster_project.external_lists import external_models
from dagster_project.home import Home
from dagster_project.lake import Lake
from tests.played import TO_BE_JUDGED, played
from tests.published import query
from tests.worlds import MONDAY, land

BEFORE, LISTENERS, TRACKS = TO_BE_JUDGED.week, TO_BE_JUDGED.listeners, TO_BE_JUDGED.tracks


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two Mondays; the lists of the first are landed after it, as an export of what a service had given."""
    home, _ = played(TO_BE_JUDGED, tmp_path_factory, tmp_path_factory.mktemp("external") / "home")
    heard = _heard_since(home, BEFORE)
    rows = [row for user in sorted(heard) for row in _lists(user, heard[user])]
    land(home.landing, "external_playlists/lists.parquet", rows)
    assert run_week(home, MONDAY)
    return home


def _heard_since(home: Home, week: dt.date) -> dict[str, list[str]]:
    """Tracks of each listener's events from the week on, in the order of the file, each once."""
    heard: dict[str, dict[str, None]] = defaultdict(dict)
    for row in pq.read_table(home.landing / "events/history.parquet").to_pylist():
        if row["occurred_at"] >= dt.datetime.combine(week, dt.time()):
            heard[row["user_id"]][row["track_id"]] = None
    return {user: list(tracks) for user, tracks in heard.items()}


def _lists(user: str, tracks: list[str]) -> list[dict[str, object]]:
    nonsense = [f"t{number:04d}" for number in range(TRACKS) if f"t{number:04d}" not in tracks][:30]
    programs = {"foresight": tracks[:30], "nonsense": nonsense, "another week": tracks[:30]}
    return [
        {
            "program_id": program,
            "week": BEFORE + dt.timedelta(weeks=program == "another week"),
            "user_id": user,
            "position": position,
            "track_id": track,
        }
        for program, listed in programs.items()
        for position, track in enumerate(listed, start=1)
    ]


def _metric(home: Home, model: str, metric: str) -> list[float]:
    rows = query(
        home.root,
        "select value from evaluation_metrics where week = ? and as_of_week = ? and model = ? and metric = ? "
        "and segment = 'all' and k = 30 and protocol_id = 'first_listens'",
        MONDAY,
        BEFORE,
        model,
        metric,
    )
    return [float(str(value)) for (value,) in rows]


def test_lists_of_what_was_then_heard_find_all_of_it(home: Home) -> None:
    assert _metric(home, "external_foresight", "recall") == [1.0]
    assert _metric(home, "external_foresight", "hit_rate") == [1.0]


def test_lists_of_what_nobody_heard_find_nothing(home: Home) -> None:
    assert _metric(home, "external_nonsense", "recall") == [0.0]
    assert _metric(home, "external_nonsense", "ndcg") == [0.0]


def test_our_own_lists_stand_beside_them_and_those_of_another_monday_do_not(home: Home) -> None:
    rows = query(home.root, "select distinct model from evaluation_metrics where week = ?", MONDAY)
    models = {str(model) for (model,) in rows}
    assert {"published", "most_popular"} <= models
    assert {model for model in models if model.startswith("external_")} == {"external_foresight", "external_nonsense"}


def test_everybody_who_has_truth_is_scored_for_every_model(home: Home) -> None:
    rows = query(
        home.root,
        "select distinct listeners from evaluation_metrics where week = ? and segment = 'all' and metric = 'recall' "
        "and protocol_id = 'first_listens'",
        MONDAY,
    )
    assert len(rows) == 1


def test_a_week_before_any_list_landed_has_none(home: Home) -> None:
    assert external_models(Lake(home.lake), BEFORE) == {}
    tables = external_models(Lake(home.lake), MONDAY)
    assert list(tables) == ["external_foresight", "external_nonsense"]
    for table in tables.values():
        assert table.column_names == ["user_id", "position", "recording_id"]
        assert table.num_rows > 0
