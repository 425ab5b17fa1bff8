"""`monday-mix tune` on a small world: what it leaves behind, what it leaves alone, what it does not do twice."""

import contextlib
import datetime as dt
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.cli import BAD_INPUT, main
from dagster_project.cli_tune import TuneOptions, tune
from dagster_project.configuration import Configuration, load_configuration
from dagster_project.forgetting import forget
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.run_lock import hold_run_lock
from dagster_project.tuning_home import REWEIGHTING, TABLES, TuningHome
from dagster_project.tuning_scores import KEPT, Scorer, configuration_of
from dagster_project.tuning_weeks import TEMPORAL, Plan, make_plan, newest_monday
from models_ml.errors import InputError
from models_ml.evaluation.report import EVALUATION_SCHEMA
from models_ml.tuning.search import MINIMUM_GAIN, Outcome
from models_ml.tuning.space import SPACE, Change, Step
from tests.worlds import MONDAY, land, land_small_world

WEEK = dt.timedelta(weeks=1)
BEFORE = MONDAY - WEEK
TWO = (Step("weighting", "skip_strength", (0.0, 1.0)), Step("ranking", "popularity_penalty", (0.0, 0.05, 5.0)))
# What is tried is said here too, so that a default can move without the tests.
CONFIG = """
evaluation = { window_weeks = 1, bootstrap_resamples = 50 }
collaborative = { factors = 16, iterations = 3 }
weighting = { skip_strength = 1.0 }
ranking = { popularity_penalty = 0.05 }
"""


@dataclass(frozen=True)
class Tuned:
    """A home that was tuned twice; files: hashes of all that isn't under tuning/, before and after."""

    home: Home
    first: Outcome
    second: Outcome
    said: tuple[str, str]
    before: dict[str, str]
    after: dict[str, str]

    @property
    def overlay(self) -> Path:
        """What it chose."""
        return self.home.root / "tuning" / "tuned.toml"

    @property
    def trials(self) -> list[dict[str, Any]]:
        """Its record."""
        rows: list[dict[str, Any]] = pq.read_table(self.home.root / "tuning" / "trials.parquet").to_pylist()
        return rows


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    home = Home(tmp_path_factory.mktemp("tune") / "home")
    home.prepare()
    home.config_file.write_text(CONFIG)
    land_small_world(home.landing)
    before = _files(home)
    first, said_first = _tune(home, TuneOptions(weeks=2, until=str(BEFORE)), TWO)
    second, said_second = _tune(home, TuneOptions(weeks=2, until=str(BEFORE)), TWO)
    return Tuned(home, first, second, (said_first, said_second), before, _files(home))


def _tune(home: Home, options: TuneOptions, space: tuple[Step, ...]) -> tuple[Outcome, str]:
    words = io.StringIO()
    with contextlib.redirect_stderr(words):
        outcome = tune(home, options, space)
    return outcome, words.getvalue()


def _files(home: Home) -> dict[str, str]:
    """Hash of each file of a home, those of the tuning left out."""
    return {
        str(path.relative_to(home.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in _walk(home.root)
        if path.relative_to(home.root).parts[0] != "tuning"
    }


def _walk(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_outside_its_own_folder_changes(tuned: Tuned) -> None:
    assert tuned.before == tuned.after


def test_every_value_of_the_grid_is_tried_once(tuned: Tuned) -> None:
    tried = [(row["setting"], row["value"]) for row in tuned.trials]
    assert tried == [
        ("(start)", ""),
        ("weighting.skip_strength", "0"),
        ("ranking.popularity_penalty", "0"),
        ("ranking.popularity_penalty", "5"),
    ]


def test_the_overlay_loads_and_is_what_was_chosen(tuned: Tuned) -> None:
    chosen = load_configuration([tuned.home.config_file, tuned.overlay])
    assert chosen == configuration_of(tuned.first.settings)
    words = tuned.overlay.read_text()
    assert f"Tuned on truth up to {BEFORE}: report weeks from then on." in words
    assert f"Scored on: {BEFORE - 2 * WEEK}, {BEFORE - WEEK}." in words


def test_the_record_says_how_good_each_trial_was_in_each_week(tuned: Tuned) -> None:
    for row in tuned.trials:
        assert row["weeks"] == [str(BEFORE - 2 * WEEK), str(BEFORE - WEEK)]
        assert row["mean_ndcg"] == pytest.approx(sum(row["ndcg_by_week"]) / 2)
        assert row["ci_low"] <= row["difference"] <= row["ci_high"]
        assert row["truth"] == KEPT
    start = tuned.trials[0]["mean_ndcg"]
    assert 0 < start < 1
    assert tuned.trials[1]["difference"] == pytest.approx(tuned.trials[1]["mean_ndcg"] - start)


def test_what_is_taken_is_the_best_of_its_grid_where_it_gains_enough(tuned: Tuned) -> None:
    best = tuned.trials[0]["mean_ndcg"]
    for setting in ("weighting.skip_strength", "ranking.popularity_penalty"):
        tried = [row for row in tuned.trials if row["setting"] == setting]
        highest = max(row["mean_ndcg"] for row in tried)
        expected = [row["mean_ndcg"] == highest >= (1 + MINIMUM_GAIN) * best for row in tried]
        assert [row["taken"] for row in tried] == expected
        best = highest if any(expected) else best
    assert tuned.first.after.mean_ndcg == best


def test_the_second_time_nothing_is_built_trained_or_scored_again(tuned: Tuned) -> None:
    assert "dbt builds all" in tuned.said[0]
    assert "dbt builds" not in tuned.said[1]
    assert [trial.score.seconds for trial in tuned.second.trials] == [
        trial.score.seconds for trial in tuned.first.trials
    ]
    assert tuned.second.settings == tuned.first.settings


def test_factors_are_trained_once_for_all_that_comes_after_them(tuned: Tuned) -> None:
    start = load_configuration([tuned.home.config_file])
    plan = Plan(TEMPORAL, BEFORE, 1, (BEFORE - 2 * WEEK, BEFORE - WEEK))
    scorer, trained = Scorer(TuningHome(tuned.home, _quiet), plan, start), []
    for section, name, value in (
        ("ranking", "popularity_penalty", 0.011),
        ("ranking", "freshness_weight", 0.011),
        ("serving", "artist_weight", 0.5),
        ("collaborative", "factors", 8),
    ):
        scorer(Change(section, {name: value}, name).applied(start.as_dict()))
        trained.append(scorer.trained)
    assert trained == [2, 2, 2, 2 + 2]


def test_building_only_what_weighs_gives_the_tables_of_a_whole_build(tuned: Tuned, tmp_path: Path) -> None:
    monday = BEFORE - WEEK
    start = load_configuration([tuned.home.config_file])
    changed = configuration_of(TWO[0].changes(start.as_dict())[0].applied(start.as_dict()))
    after_another = TuningHome(tuned.home, _quiet).features(monday, changed)
    fresh = Home(tmp_path / "fresh")
    fresh.landing.parent.mkdir(parents=True)
    fresh.landing.symlink_to(tuned.home.landing)
    at_once = TuningHome(fresh, _quiet).features(monday, changed)
    for table in TABLES:
        name = f"features/{table}"
        assert after_another.content_hash(name, monday) == at_once.content_hash(name, monday), table
    base = TuningHome(tuned.home, _quiet).features(monday, start)
    assert base.content_hash("features/interactions", monday) != at_once.content_hash("features/interactions", monday)


def _quiet(line: str) -> None:
    """Nobody listens."""


def test_every_weighting_that_is_tried_is_one_that_only_weighs() -> None:
    assert {step.name for step in SPACE if step.section == "weighting"} == REWEIGHTING


def test_every_value_of_the_space_is_a_setting_in_its_range() -> None:
    settings = Configuration().as_dict()
    for step in SPACE:
        for change in step.changes(settings):
            assert configuration_of(change.applied(settings)) != Configuration()


def test_a_week_that_was_reported_is_not_tuned_on(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    land_small_world(home.landing)
    row = {field.name: None for field in EVALUATION_SCHEMA} | {"as_of_week": BEFORE - WEEK}
    reported = pa.Table.from_pylist([row], schema=EVALUATION_SCHEMA)
    Lake(home.lake).replace_week("ml/evaluation_metrics", BEFORE, reported)
    words = io.StringIO()
    with contextlib.redirect_stderr(words):
        code = main(["tune", "--home", str(home.root), "--until", str(BEFORE)])
    assert code == BAD_INPUT
    assert f"--until is {BEFORE}: lists of {BEFORE - WEEK} were already reported" in words.getvalue()
    plan = make_plan(home, home.intake, has_events=True, hold_out="auto", weeks=2, until=None, window_weeks=1)
    assert plan.mondays == (BEFORE - 3 * WEEK, BEFORE - 2 * WEEK)


def test_before_any_report_the_newest_window_is_left_to_report_on(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    moments = [dt.datetime.combine(MONDAY, dt.time()) - dt.timedelta(seconds=1), dt.datetime(2190, 1, 1)]
    land(home.intake, "events/some.parquet", [{"occurred_at": str(moment)} for moment in moments])
    assert newest_monday(home.intake) == MONDAY
    plan = make_plan(home, home.intake, has_events=True, hold_out="auto", weeks=1, until=None, window_weeks=4)
    assert (plan.until, plan.mondays) == (MONDAY - 4 * WEEK, (MONDAY - 8 * WEEK,))


def test_a_week_before_all_listening_is_an_error_that_says_what_to_do(tuned: Tuned) -> None:
    with pytest.raises(InputError, match="nothing was heard before it to tune on; take fewer --weeks"):
        _tune(tuned.home, TuneOptions(weeks=1, until=str(MONDAY - 8 * WEEK)), TWO)


def test_totals_without_dates_are_held_out_at_random(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    home.config_file.write_text(CONFIG)
    land_small_world(home.landing)
    events = pq.read_table(home.landing / "events" / "history.parquet", columns=["user_id", "track_id"])
    totals = events.group_by(["user_id", "track_id"]).aggregate([([], "count_all")])
    land(home.landing, "play_counts/totals.parquet", totals.rename_columns(["user_id", "track_id", "play_count"]))
    (home.landing / "events" / "history.parquet").unlink()
    space = (Step("serving", "idle_half_life_days", (0.0, 1.0), needs_time=True), TWO[1])
    outcome, _ = _tune(home, TuneOptions(weeks=2, until=str(BEFORE)), space)
    assert [trial.label for trial in outcome.trials] == [
        "(start)",
        "ranking.popularity_penalty = 0.0",
        "ranking.popularity_penalty = 5.0",
    ]
    assert 0 < outcome.before.mean_recall < 1
    assert "Hold-out: random" in (home.root / "tuning" / "tuned.toml").read_text()
    with pytest.raises(InputError, match="no dated events, so nothing comes after a Monday"):
        _tune(home, TuneOptions(hold_out="temporal"), TWO)


def test_who_was_forgotten_and_landed_again_is_not_tuned_on(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    land_small_world(home.landing, listeners=4, tracks=30)
    moment = dt.datetime(2026, 11, 20)
    with hold_run_lock(home.root, _quiet):
        forget(home, frozenset({"u003"}), moment, _quiet)
    rows = [
        {"user_id": user, "event_type": "play", "track_id": "t0001", "occurred_at": moment} for user in ("u003", "u001")
    ]
    land(home.landing, "events/again.parquet", rows)
    # What a tuning has left that didn't look for them.
    left = home.root / "tuning" / "work" / "intake" / "events" / "left.parquet"
    left.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), left)
    work = TuningHome(home, _quiet)
    assert work.inputs.has_events
    assert not left.exists()
    read = [pq.read_table(file) for file in work.intake.glob("events/*.parquet")]
    users = {user for table in read for user in table["user_id"].to_pylist()}
    assert users == {"u000", "u001", "u002"}
    assert pq.read_table(home.landing / "events" / "again.parquet")["user_id"].to_pylist() == ["u001"]
