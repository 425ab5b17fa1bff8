"""Off-policy estimates inside the graph: two Mondays, the second judges the first, and what happens where it can't."""

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dagster_project.assets.off_policy import logged_week, off_policy_estimates
from dagster_project.experiments_io import ASSIGNED, EXPERIMENTS, VARIANTS
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.resources import Workspace
from models_ml.experiments.declarations import EXPERIMENTS_SCHEMA, VARIANTS_SCHEMA
from models_ml.exploration.params import ExplorationParams
from models_ml.off_policy.policies import by_settings
from models_ml.off_policy.tables import OFF_POLICY_SCHEMA
from tests.published import query
from tests.two_mondays import BEFORE, TwoMondays, two_mondays
from tests.worlds import MONDAY, land

TABLE = "ml/off_policy_estimates"
# Of the lists that had slots for arms; those of whoever doesn't explore say nothing of it.
EXPLORED = """
with explored as (
    select user_id from weekly_playlist_tracks where week = $1 and arm_id is not null group by user_id
)
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> TwoMondays:
    return two_mondays(tmp_path_factory, tmp_path_factory.mktemp("off_policy") / "home", _land_plays)


def _land_plays(home: Home) -> None:
    """Half of the listeners hear every third slot of their lists to the end."""
    rows = query(
        home.root,
        "select user_id, playlist_id, track_id, position from weekly_playlist_tracks "
        "where week = ? and position % 3 = 0 and user_id < 'u020' order by user_id, position",
        BEFORE,
    )
    plays = [
        {
            "user_id": user,
            "track_id": track,
            "event_type": "play",
            "occurred_at": dt.datetime.combine(BEFORE, dt.time(12)) + dt.timedelta(minutes=4 * position),
            "ms_played": 200_000,
            "reason_end": "trackdone",
            "context_type": "playlist",
            "context_id": playlist,
        }
        for user, playlist, track, position in rows
    ]
    land(home.landing, "events/plays.parquet", plays)


def _again(home: Home) -> tuple[pa.Table, dict[str, Any]]:
    """Materialize nothing but the estimates: their rows and metadata."""
    result = dg.materialize(
        [off_policy_estimates],
        partition_key=MONDAY.isoformat(),
        resources={"workspace": Workspace(home=str(home.root))},
        selection=[off_policy_estimates],
    )
    (event,) = result.asset_materializations_for_node("ml__off_policy_estimates")
    return Lake(home.lake).read_week(TABLE, MONDAY), {name: value.value for name, value in event.metadata.items()}


def _copy(ran: TwoMondays, folder: Path, settings: str = "") -> Home:
    shutil.copytree(ran.home.root, folder)
    home = Home(folder)
    home.config_file.write_text(home.config_file.read_text() + settings)
    return home


def test_the_first_monday_has_nothing_to_judge_and_says_so(ran: TwoMondays) -> None:
    table = Lake(ran.home.lake).read_week(TABLE, BEFORE)
    assert (table.num_rows, table.schema) == (0, OFF_POLICY_SCHEMA)
    assert f"nothing to judge for {BEFORE}: week" in ran.said[BEFORE]
    assert query(ran.home.root, "select count(*) from off_policy_estimates where week = ?", BEFORE) == [(0,)]


def test_forty_lists_are_too_few_and_what_is_published_says_so(ran: TwoMondays) -> None:
    rows = query(
        ran.home.root,
        "select as_of_week, status, count(*), count(value), count(ci_low), count(difference), max(lists), min(reason) "
        "from off_policy_estimates where week = ? group by all",
        MONDAY,
    )
    (as_of, status, count, values, lows, differences, lists, reason) = rows[0]
    assert len(rows) == 1
    assert (as_of, status, count, values, lows, differences) == (BEFORE, "not identifiable", 4 * 5 * 3, 0, 0, 0)
    explored = query(ran.home.root, EXPLORED + "select count(*) from explored", BEFORE)
    assert [(lists,)] == explored
    assert reason.endswith("lists, below 200")


def test_as_it_was_logged_a_list_brings_what_the_published_outcomes_say(ran: TwoMondays, tmp_path: Path) -> None:
    home = _copy(ran, tmp_path / "few", "[off_policy]\nleast_effective_lists = 1\n")
    table, metadata = _again(home)
    found = {(row["policy"], row["estimator"], row["reward"]): row for row in table.to_pylist()}
    (lists, completed) = query(
        ran.home.root,
        EXPLORED + "select count(distinct user_id), sum(completed::int) from playlist_slot_outcomes "
        "inner join explored using (user_id) where week = $1",
        BEFORE,
    )[0]
    assert completed > 100
    for estimator in ("item_position_ips", "self_normalised_ips", "reward_interaction_ips", "list_ips"):
        row = found["logging", estimator, "completed"]
        assert row["value"] == pytest.approx(completed / lists)
        assert row["difference"] == pytest.approx(0, abs=1e-12)
    assert metadata["lists_left_out"] == 0
    assert metadata["completed"].startswith("| policy | estimator | completed a list | more than was |")
    assert f"| logging | list_ips | {completed / lists:.3f} (" in metadata["completed"]


def test_the_settings_of_the_week_give_the_chances_that_its_lists_kept(ran: TwoMondays) -> None:
    logged = logged_week(ran.home, BEFORE, MONDAY).logged
    assert logged.drawn.all()
    assert by_settings(logged, ExplorationParams()) == pytest.approx(logged.chance, rel=1e-9)


def test_where_an_experiment_learns_from_its_own_lists_each_list_is_judged_by_its_own_arms(
    ran: TwoMondays, tmp_path: Path
) -> None:
    home, table = _copy(ran, tmp_path / "own"), "features/arm_posteriors"
    control, lake = logged_week(home, BEFORE, MONDAY).logged, Lake(home.lake)
    _in_an_experiment_of_its_own(lake, np.arange(1, lake.row_count("features/listeners", BEFORE), 2))
    known = lake.read_week(table, BEFORE)
    place = known.column_names.index("alpha"), known.column_names.index("variant_id")
    own = known.set_column(place[0], "alpha", pc.add(known["alpha"], 5.0))
    own = own.set_column(place[1], "variant_id", pa.array(["x:more"] * len(own)))
    lake.replace_week(table, BEFORE, pa.concat_tables([known, own]))
    logged = logged_week(home, BEFORE, MONDAY).logged
    odd = logged.listener % 2 == 1
    assert 0 < odd.sum() < len(odd)
    assert np.array_equal(logged.alpha, control.alpha + 5.0 * odd[:, None])
    assert np.array_equal(logged.beta, control.beta)


def _in_an_experiment_of_its_own(lake: Lake, members: np.ndarray) -> None:
    """Declare experiment x of the first Monday, whose one variant learns from its own lists, with these listeners."""
    experiment = {"experiment_id": "x", "training_scope": "own"}
    variant = {"experiment_id": "x", "variant_id": "more"}
    lake.replace_week(EXPERIMENTS, BEFORE, pa.Table.from_pylist([experiment], schema=EXPERIMENTS_SCHEMA))
    lake.replace_week(VARIANTS, BEFORE, pa.Table.from_pylist([variant], schema=VARIANTS_SCHEMA))
    rows = [{"user_index": int(member), **variant, "is_running": True} for member in members]
    lake.replace_week(ASSIGNED, BEFORE, pa.Table.from_pylist(rows))


def test_judged_again_it_is_the_same(ran: TwoMondays, tmp_path: Path) -> None:
    home = _copy(ran, tmp_path / "again")
    before = Lake(home.lake).content_hash(TABLE, MONDAY)
    _again(home)
    assert Lake(home.lake).content_hash(TABLE, MONDAY) == before


def test_lists_that_older_code_made_are_not_judged_and_hold_nothing_up(ran: TwoMondays, tmp_path: Path) -> None:
    home = _copy(ran, tmp_path / "older")
    lake = Lake(home.lake)
    slots = lake.read_week("ml/playlist_slots", BEFORE).drop_columns(["open_arms", "open_arm_chances"])
    lake.replace_week("ml/playlist_slots", BEFORE, slots)
    table, metadata = _again(home)
    assert (table.num_rows, table.schema) == (0, OFF_POLICY_SCHEMA)
    assert f"week {BEFORE} lacks open_arms, open_arm_chances" in metadata["not_judged"]


def test_a_week_whose_slots_are_gone_is_not_judged(ran: TwoMondays, tmp_path: Path) -> None:
    home = _copy(ran, tmp_path / "gone")
    shutil.rmtree(Lake(home.lake).folder("ml/playlist_slots", BEFORE))
    table, metadata = _again(home)
    assert table.num_rows == 0
    assert f"no week {BEFORE}" in metadata["not_judged"]
