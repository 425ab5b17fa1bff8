"""Evaluation inside the graph: two Mondays, the second scores the first, and what happens where it can't."""

import contextlib
import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dagster_project import keys
from dagster_project.assets.evaluation import evaluation, what_was_given
from dagster_project.cli import BAD_INPUT, main
from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.resources import Workspace
from dagster_project.sound_io import NEAR_DUPLICATES
from models_ml.evaluation.baselines import MOST_POPULAR, BaselineParams, baseline_lists
from models_ml.evaluation.report import EVALUATION_SCHEMA
from tests.published import query
from tests.two_mondays import BEFORE, TwoMondays, two_mondays
from tests.worlds import MONDAY, land

TABLE = "ml/evaluation_metrics"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> TwoMondays:
    return two_mondays(tmp_path_factory, tmp_path_factory.mktemp("evaluation") / "home", _land_feedback)


def _land_feedback(home: Home) -> None:
    """u000 saves the first track of their list inside it, u001 finds the first of theirs by searching and saves it."""
    rows = query(
        home.root,
        "select user_id, playlist_id, track_id from weekly_playlist_tracks "
        "where week = ? and position = 1 and user_id in ('u000', 'u001') order by user_id",
        BEFORE,
    )
    land(
        home.landing,
        "events/feedback.parquet",
        [
            {
                "user_id": user,
                "track_id": track,
                "event_type": "save",
                "occurred_at": dt.datetime.combine(BEFORE, dt.time(12)),
                "context_type": "playlist" if user == "u000" else "search",
                "context_id": playlist if user == "u000" else None,
            }
            for user, playlist, track in rows
        ],
    )


@contextlib.contextmanager
def _copy(home: Home, folder: Path) -> Iterator[Home]:
    shutil.copytree(home.root, folder)
    yield Home(folder)


def _again(home: Home, week: dt.date) -> tuple[pa.Table, dict[str, Any]]:
    """Materialize nothing but the evaluation: its rows and its metadata."""
    result = dg.materialize(
        [evaluation],
        partition_key=week.isoformat(),
        resources={"workspace": Workspace(home=str(home.root))},
        selection=[evaluation],
    )
    events = result.asset_materializations_for_node("evaluation")
    (event,) = [event for event in events if event.asset_key == keys.ml("evaluation_metrics")]
    metadata = {name: value.value for name, value in event.metadata.items()}
    return Lake(home.lake).read_week(TABLE, week), metadata


def _truth(ran: TwoMondays) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = ran.lake.read_week("features/evaluation_truth", MONDAY).to_pylist()
    return rows


def test_the_first_monday_has_nothing_to_score_and_says_so(ran: TwoMondays) -> None:
    table = ran.lake.read_week(TABLE, BEFORE)
    assert (table.num_rows, table.schema) == (0, EVALUATION_SCHEMA)
    earlier = BEFORE - dt.timedelta(weeks=1)
    assert f"nothing to score for {BEFORE}: week {earlier} was never completed" in ran.said[BEFORE]
    assert query(ran.home.root, "select count(*) from evaluation_metrics where week = ?", BEFORE) == [(0,)]


def test_the_second_monday_scores_the_first_beside_baselines(ran: TwoMondays) -> None:
    table = ran.lake.read_week(TABLE, MONDAY)
    assert pc.unique(table["as_of_week"]).to_pylist() == [BEFORE]
    assert pc.unique(table["truth_window_days"]).to_pylist() == [7]
    assert {"published", "most_popular"} <= set(table["model"].to_pylist())
    assert "nothing to score" not in ran.said[MONDAY]


def test_truth_is_what_was_first_heard_in_the_week_between(ran: TwoMondays) -> None:
    heard_before = _heard(ran, BEFORE)
    heard_now = _heard(ran, MONDAY)
    truth = {(row["user_id"], row["recording_id"]) for row in _truth(ran)}
    assert truth == heard_now - heard_before
    start, end = (dt.datetime.combine(week, dt.time()) for week in (BEFORE, MONDAY))
    assert all(start <= row["first_heard_at"] < end for row in _truth(ran))


def _heard(ran: TwoMondays, week: dt.date) -> set[tuple[str, str]]:
    users, recordings = (
        ran.lake.read_week(f"features/{name}s", week)[f"{key}_id"].to_pylist()
        for name, key in (("listener", "user"), ("recording", "recording"))
    )
    heard = ran.lake.read_week("features/heard_tracks", week).to_pylist()
    return {(users[row["user_index"]], recordings[row["recording_index"]]) for row in heard}


def test_what_our_own_list_led_to_is_told_apart(ran: TwoMondays) -> None:
    given = query(
        ran.home.root,
        "select user_id, recording_id from weekly_playlist_tracks where week = ? and position = 1 "
        "and user_id in ('u000', 'u001') order by user_id",
        BEFORE,
    )
    found = {(row["user_id"], row["recording_id"]): row for row in _truth(ran)}
    assert [(found[pair]["kept"], found[pair]["via_own_playlist"]) for pair in given] == [(True, True), (True, False)]


def test_recall_is_the_mean_share_of_the_truth_that_was_listed(ran: TwoMondays) -> None:
    listed: dict[str, set[str]] = {}
    for row in ran.lake.read_week("marts/weekly_playlist_tracks", BEFORE, ["user_id", "recording_id"]).to_pylist():
        listed.setdefault(row["user_id"], set()).add(row["recording_id"])
    truth: dict[str, set[str]] = {}
    for row in _truth(ran):
        if row["kept"] and not row["via_own_playlist"] and row["user_id"] in listed:
            truth.setdefault(row["user_id"], set()).add(row["recording_id"])
    expected = sum(len(found & listed[user]) / len(found) for user, found in truth.items()) / len(truth)
    rows = query(
        ran.home.root,
        "select value, listeners from latest_evaluation where protocol_id = 'kept' and model = 'published' "
        "and metric = 'recall' and k = 30",
    )
    assert rows == [(pytest.approx(expected), len(truth))]
    assert expected > 0, "u001 saved what was listed"


def test_the_published_table_is_what_python_wrote(ran: TwoMondays) -> None:
    table = ran.lake.read_week(TABLE, MONDAY)
    columns = ", ".join(table.column_names)
    published = query(ran.home.root, f"select {columns} from evaluation_metrics where week = ? order by all", MONDAY)
    assert published == sorted((tuple(row.values()) for row in table.to_pylist()), key=_nulls_last)


def _nulls_last(row: tuple[Any, ...]) -> tuple[tuple[bool, Any], ...]:
    return tuple((value is None, value) for value in row)


def test_scored_again_it_is_the_same_and_shows_a_table_and_a_picture(ran: TwoMondays, tmp_path: Path) -> None:
    with _copy(ran.home, tmp_path / "again") as home:
        before = Lake(home.lake).content_hash(TABLE, MONDAY)
        _, metadata = _again(home, MONDAY)
        assert Lake(home.lake).content_hash(TABLE, MONDAY) == before
    assert metadata["quality"].startswith("| model | recall@30 | ndcg@30 |")
    assert "| published | 0." in metadata["quality"]
    assert metadata["plot"].startswith("![recall and ndcg by model](data:image/png;base64,iVBOR")


def test_from_the_second_scored_week_on_quality_is_shown_by_week(ran: TwoMondays, tmp_path: Path) -> None:
    with _copy(ran.home, tmp_path / "history") as home:
        scored, alone = _again(home, MONDAY)
        place = scored.column_names.index("as_of_week")
        week_before = pa.array([BEFORE - dt.timedelta(weeks=1)] * scored.num_rows, pa.date32())
        Lake(home.lake).replace_week(TABLE, BEFORE, scored.set_column(place, "as_of_week", week_before))
        again, metadata = _again(home, MONDAY)
    assert "history" not in alone
    assert metadata["history"].startswith("![ndcg by week and model](data:image/png;base64,iVBOR")
    assert again.equals(scored), "earlier weeks are looked at, and nothing else"


def test_lists_before_caps_and_rules_are_scored_where_they_were_kept(ran: TwoMondays, tmp_path: Path) -> None:
    with _copy(ran.home, tmp_path / "ranked") as home:
        lake = Lake(home.lake)
        shutil.rmtree(lake.folder("ml/ranked_candidates", BEFORE), ignore_errors=True)
        without, _ = _again(home, MONDAY)
        given = lake.read_week("ml/playlist_slots", BEFORE, ["user_index", "position", "recording_index"])
        lake.replace_week("ml/ranked_candidates", BEFORE, given)
        with_them, _ = _again(home, MONDAY)
    assert "published" in without["model"].to_pylist()
    assert "ranked" not in without["model"].to_pylist()
    of = {name: with_them.filter(pc.equal(with_them["model"], name)) for name in ("ranked", "published")}
    assert of["ranked"].num_rows > 0
    assert of["ranked"].drop_columns("model").equals(of["published"].drop_columns("model")), "the same lists"


def test_a_week_whose_features_older_code_made_is_not_scored_and_holds_nothing_up(
    ran: TwoMondays, tmp_path: Path
) -> None:
    with _copy(ran.home, tmp_path / "older") as home:
        lake = Lake(home.lake)
        rows = lake.read_week("features/recordings", BEFORE).drop_columns(["popularity_percentile"])
        lake.replace_week("features/recordings", BEFORE, rows)
        table, metadata = _again(home, MONDAY)
    assert (table.num_rows, table.schema) == (0, EVALUATION_SCHEMA)
    assert "popularity_percentile" in metadata["not_scored"]


def test_a_week_whose_lists_are_gone_is_not_scored(ran: TwoMondays, tmp_path: Path) -> None:
    with _copy(ran.home, tmp_path / "gone") as home:
        shutil.rmtree(Lake(home.lake).folder("marts/weekly_playlist_tracks", BEFORE))
        table, metadata = _again(home, MONDAY)
    assert table.num_rows == 0
    assert f"no week {BEFORE}" in metadata["not_scored"]


def test_where_nothing_new_was_heard_nothing_is_scored(ran: TwoMondays, tmp_path: Path) -> None:
    with _copy(ran.home, tmp_path / "silent") as home:
        lake = Lake(home.lake)
        lake.replace_week("features/evaluation_truth", MONDAY, lake.read_week("features/evaluation_truth", MONDAY)[:0])
        table, metadata = _again(home, MONDAY)
    # A model's lists reach as many recordings as they do, whatever anyone heard.
    assert set(table["metric"].to_pylist()) <= {"coverage", "gini", "novelty"}
    assert metadata["not_scored"] == "nothing was kept since"


def test_the_command_line_says_how_good_the_lists_were(ran: TwoMondays, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quality", "--home", str(ran.home.root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"Lists of Monday {BEFORE}, scored on {MONDAY} by what ")
    assert lines[0].endswith("listeners first heard in the 7 days since and kept")
    assert lines[2].split() == ["model", "recall@30", "ndcg@30"]
    assert {line.split()[0] for line in lines[4:]} >= {"published", "most_popular", "(ceiling)"}
    assert main(["quality", "--week", str(BEFORE), "--home", str(ran.home.root)]) == BAD_INPUT
    said = capsys.readouterr().err
    assert f"week {BEFORE} scored no lists" in said
    assert f"weeks that did: {MONDAY}" in said


def test_the_mart_of_an_unscored_week_is_empty_and_typed(ran: TwoMondays) -> None:
    schema = pq.read_schema(ran.lake.path("marts/evaluation_metrics", BEFORE))
    assert ran.lake.read_week("marts/evaluation_metrics", BEFORE).num_rows == 0
    assert [schema.field(name).type for name in ("week", "k", "value")] == [pa.date32(), pa.int32(), pa.float64()]


def test_baselines_pass_the_filters_of_our_lists_by_sound_too(ran: TwoMondays, tmp_path: Path) -> None:
    with _copy(ran.home, tmp_path / "alike") as home:
        features, _ = what_was_given(home, BEFORE)
        everyone = np.arange(features.listener_count)
        best = baseline_lists(features, everyone, 30, BaselineParams())[MOST_POPULAR]
        listener = int(np.flatnonzero((np.diff(features.exclusions.indptr) > 0) & (best[:, 0] >= 0))[0])
        heard, first = int(features.exclusions.values[features.exclusions.indptr[listener]]), int(best[listener, 0])
        alike = pa.table({"recording_index": sorted([heard, first]), "same_as": [min(heard, first)] * 2})
        Lake(home.lake).replace_week(NEAR_DUPLICATES, BEFORE, alike)
        features, _ = what_was_given(home, BEFORE)
        again = baseline_lists(features, everyone, 30, BaselineParams())[MOST_POPULAR]
        assert first in best[listener]
        assert first not in again[listener]
        assert again[listener, 0] == best[listener, 1]


def test_every_model_is_held_against_what_was_given_and_what_ranked_best(ran: TwoMondays) -> None:
    rows = query(
        ran.home.root,
        "select distinct model, other_model from evaluation_comparisons where week = ? and protocol_id = 'kept'",
        MONDAY,
    )
    assert {other for _, other in rows} == {"published", "ranked"}
    assert ("published", "ranked") in rows
    assert {("alone_collaborative", "ranked"), ("without_collaborative", "published")} <= set(rows)
    published = query(ran.home.root, "select * exclude (program_id, week) from evaluation_comparisons order by all")
    written = ran.lake.read_week("ml/evaluation_comparisons", MONDAY).to_pylist()
    assert published == sorted((tuple(row.values()) for row in written), key=_nulls_last)


def test_a_difference_is_that_of_the_means_of_the_same_listeners(ran: TwoMondays) -> None:
    rows = query(
        ran.home.root,
        "select difference, mine.value - theirs.value, compared.listeners, mine.listeners "
        "from evaluation_comparisons as compared "
        "inner join evaluation_metrics as mine using (week, protocol_id, model, segment, metric, k) "
        "inner join evaluation_metrics as theirs on (theirs.week, theirs.protocol_id, theirs.model, theirs.segment, "
        "theirs.metric, theirs.k) = (compared.week, compared.protocol_id, 'ranked', compared.segment, compared.metric, "
        "compared.k) where compared.other_model = 'ranked' and compared.listeners = mine.listeners "
        "and compared.listeners = theirs.listeners",
    )
    assert len(rows) > 10
    assert [row[0] for row in rows] == pytest.approx([row[1] for row in rows], abs=1e-12)


def test_what_the_week_knows_of_genres_and_vectors_is_used(ran: TwoMondays) -> None:
    table = ran.lake.read_week(TABLE, MONDAY)
    assert {"genre_kl", "intra_list_diversity", "serendipity", "average_precision"} <= set(table["metric"].to_pylist())


def test_the_mix_of_a_list_is_as_far_from_its_listener_as_the_list_says(ran: TwoMondays) -> None:
    scored = query(
        ran.home.root,
        "select value, listeners from evaluation_metrics where week = ? and protocol_id = 'first_listens' "
        "and model = 'published' and segment = 'all' and metric = 'genre_kl' and k = 30",
        MONDAY,
    )
    with_truth = sorted({row["user_id"] for row in _truth(ran) if not row["via_own_playlist"]})
    told = query(
        ran.home.root,
        "select avg(genre_kl), count(genre_kl) from weekly_playlists where week = ? and user_id in (select unnest(?))",
        BEFORE,
        with_truth,
    )
    assert scored == [(pytest.approx(told[0][0], abs=1e-6), told[0][1])]


def test_exposure_is_told_for_everyone_and_by_history_and_market(ran: TwoMondays) -> None:
    (everyone, *parts) = query(
        ran.home.root,
        "select population, listeners, slots, given_recordings, new_artist_share, gini, coverage from exposure_report "
        "where week = ? order by population",
        MONDAY,
    )
    slots = query(
        ran.home.root,
        "select count(distinct user_id), count(*), count(distinct recording_id), avg(is_new_artist::int) "
        "from weekly_playlist_tracks where week = ?",
        MONDAY,
    )
    assert everyone[:5] == ("all", *slots[0][:3], pytest.approx(slots[0][3]))
    assert 0 <= everyone[5] < 1
    assert 0 < everyone[6] <= 1
    of = {row[0]: row[1] for row in parts}
    assert of.get("with_history", 0) + of.get("without_history", 0) == everyone[1]


def test_families_of_the_score_are_shown_beside_the_models(ran: TwoMondays, tmp_path: Path) -> None:
    with _copy(ran.home, tmp_path / "families") as home:
        table, metadata = _again(home, MONDAY)
        assert metadata["families"].startswith("| family | alone, ndcg less that of all |")
        assert "| collaborative |" in metadata["families"]
        assert metadata["families_plot"].startswith("![each family alone")
        shutil.rmtree(Lake(home.lake).folder("ml/ablated_candidates", BEFORE))
        without, said = _again(home, MONDAY)
    assert "families" not in said
    left = table.filter(pc.invert(pc.match_substring_regex(table["model"], "^(alone|without)_")))
    assert without.equals(left.combine_chunks()) or without.to_pylist() == left.to_pylist()
