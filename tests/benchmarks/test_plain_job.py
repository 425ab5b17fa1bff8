"""The plain job on a small demo world: its lists are lists of our kind, so that a comparison with it means something.

Belongs here: what holds of its output. Does not: how fast it is.
"""

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse

from models_ml.demo_world import WorldParams, WorldSize, write_world
from tests.benchmarks import plain_draws, plain_lists
from tests.benchmarks.plain_candidates import Found, best_of
from tests.benchmarks.plain_fusion import Evidence, Listening, solved
from tests.benchmarks.plain_genres import popularity_parts
from tests.benchmarks.plain_input import Input, read_input
from tests.benchmarks.plain_job import make_lists
from tests.benchmarks.plain_ledgers import stage_seconds
from tests.benchmarks.plain_order import order_heard
from tests.benchmarks.stopwatch import Stopwatch

WEEK = dt.date(2026, 11, 16)
MONDAY = pd.Timestamp(WEEK, tz="UTC")
TABLES = (
    *("weekly_playlists", "weekly_playlist_tracks", "playlist_track_reasons"),
    *("candidate_funnel", "rejected_candidates", "playlist_relaxations"),
)


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    size = WorldSize(listeners=700, tracks=2000, weeks=1, last_week=WEEK + dt.timedelta(weeks=1), sound=False)
    write_world(folder / "landing", folder / "truth", size, WorldParams(), 3)
    return folder / "landing"


@pytest.fixture(scope="module")
def given(landing: Path) -> Input:
    return read_input(landing, MONDAY)


@pytest.fixture(scope="module")
def out(landing: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lists") / "lists.duckdb"
    make_lists(landing, MONDAY, out)
    return out


@pytest.fixture(scope="module")
def tables(out: Path) -> dict[str, pd.DataFrame]:
    return _tables(out)


@pytest.fixture(scope="module")
def lists(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return tables["weekly_playlist_tracks"]


def _tables(out: Path) -> dict[str, pd.DataFrame]:
    with duckdb.connect(str(out), read_only=True) as connection:
        return {name: connection.execute(f"from {name}").fetchdf() for name in TABLES}


def test_every_listener_has_thirty_distinct_recordings_at_positions_one_to_thirty(
    lists: pd.DataFrame, given: Input
) -> None:
    recording = given.tracks.set_index("track_id")["recording"]
    recordings = lists.assign(recording=recording.reindex(lists["track_id"]).to_numpy()).groupby("user_id")["recording"]
    assert set(lists["user_id"]) == set(given.users["user_id"])
    assert (recordings.nunique() == 30).all()
    assert (lists.groupby("user_id")["position"].agg(list).map(tuple) == tuple(range(1, 31))).all()


def test_nothing_heard_is_given(lists: pd.DataFrame, given: Input) -> None:
    acts = given.events["event_type"].isin(["save", "like", "dislike", "playlist_add"])
    heard = given.events[acts | (given.events["ms_played"] >= 30_000)]
    heard = pd.concat([heard[["user", "track"]], given.counts[["user", "track"]]])
    pairs = pd.DataFrame(
        {
            "user_id": given.users["user_id"].to_numpy()[heard["user"]],
            "track_id": given.tracks["track_id"].to_numpy()[heard["track"]],
        }
    )
    assert len(pairs) > 1000
    assert lists.merge(pairs, on=["user_id", "track_id"]).empty


def test_nothing_of_the_monday_or_later_is_read(given: Input) -> None:
    assert given.events["occurred_at"].max() < MONDAY


def test_a_file_with_the_required_columns_alone_is_read(landing: Path, tmp_path: Path) -> None:
    shutil.copytree(landing / "tracks", tmp_path / "tracks")
    track_id = pq.read_table(landing / "tracks", columns=["track_id"])["track_id"][0].as_py()
    row = {"user_id": "u", "event_type": "Play", "occurred_at": dt.datetime(2026, 11, 1), "track_id": track_id}
    (tmp_path / "events").mkdir()
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "events" / "one.parquet")
    read = read_input(tmp_path, MONDAY)
    assert read.events[["event_type", "context", "user"]].to_numpy().tolist() == [["play", "chosen", 0]]


def test_scores_add_up_and_every_track_has_a_reason(tables: dict[str, pd.DataFrame], lists: pd.DataFrame) -> None:
    parts = tables["playlist_track_reasons"].groupby(["user_id", "position"])["contribution"].sum()
    scores = lists.set_index(["user_id", "position"])["final_score"]
    assert (parts - scores).abs().max() < 1e-9
    assert lists["reason"].notna().all()
    because = lists["reason_code"] == "because_you_played"
    assert (lists.loc[because, "anchor_track_id"].notna()).all()
    assert lists.loc[because, "reason"].str.match(r"Because you (play|liked|added|saved) “").all()


def test_caps_hold_and_half_is_by_new_artists_where_no_rule_gave_way(
    tables: dict[str, pd.DataFrame], lists: pd.DataFrame
) -> None:
    relaxed = set(tables["playlist_relaxations"]["user_id"])
    strict = lists[~lists["user_id"].isin(relaxed)]
    assert len(strict) > 0.9 * len(lists)
    for name in ("artist_id", "album_id"):
        assert strict.dropna(subset=name).groupby(["user_id", name]).size().max() <= 2
    assert (strict.groupby("user_id")["is_new_artist"].sum() >= 15).all()
    assert set(tables["weekly_playlists"].query("status == 'relaxed'")["user_id"]) == relaxed


def test_slots_left_to_chance_have_their_probabilities(lists: pd.DataFrame, given: Input) -> None:
    arms = lists[lists["slot_kind"] == "explore"]
    allowed = given.users.loc[given.users["lets_explore"], "user_id"]
    assert (arms.groupby("user_id").size().reindex(allowed) == 3).all()
    assert set(arms["user_id"]) == set(allowed)
    assert ((lists["p_track"] > 0) & (lists["p_track"] <= 1)).all()
    assert set(arms["p_arm"].round(9)) <= {0.5, 1.0}
    assert (arms["p_track"] <= arms["p_arm"] + 1e-9).all()
    assert arms["propensity_valid"].all()
    best = lists[lists["feasible_count"].isna()]
    assert (best["p_track"] == 1).all()


def test_new_releases_that_hardly_anyone_heard_have_a_slot(lists: pd.DataFrame) -> None:
    assert lists[lists["track_rung"] == "content"].groupby("user_id").size().gt(0).mean() > 0.3
    assert lists["contribution_text"].abs().max() > 0


def test_the_funnel_adds_up(tables: dict[str, pd.DataFrame]) -> None:
    counts = tables["candidate_funnel"].set_index(["stage", "rule_id"])["candidate_count"]
    assert counts["filter", "heard"] > 0
    assert counts["keep", "passed"] <= counts["retrieve"].sum() - counts["filter"].sum() + counts.get(
        ("search_again", "few_kept"), 0
    )
    assert set(tables["rejected_candidates"]["rule_id"]) <= set(counts["filter"].index)
    assert tables["rejected_candidates"]["user_id"].nunique() <= 20


def test_genres_are_nearer_than_without_calibration(
    landing: Path, tables: dict[str, pd.DataFrame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loose = dataclasses.replace(plain_lists.RULES, calibration_weight=0.0, popularity_calibration_weight=0.0)
    monkeypatch.setattr(plain_lists, "RULES", loose)
    make_lists(landing, MONDAY, tmp_path / "loose.duckdb")
    without, held = _tables(tmp_path / "loose.duckdb")["weekly_playlists"], tables["weekly_playlists"]
    for name in ("genre_kl", "popularity_kl"):
        assert held[name].mean() < 0.9 * without[name].mean()
    known = held.dropna(subset=["popularity_kl"])
    assert (known["popularity_kl"] >= known["popularity_kl_least"] - 1e-6).all()


def test_seconds_are_told_by_stage(out: Path) -> None:
    assert {"read", "words", "fusion", "candidates", "draws", "order", "reasons", "write"} <= set(stage_seconds(out))


@pytest.mark.parametrize("width", [50, 20_000])
def test_the_best_of_a_row_are_those_that_sorting_gives(width: int) -> None:
    scores = np.random.default_rng(0).standard_normal((5, width)).astype(np.float32)
    scores[0, 10:] = -np.inf  # fewer than asked for
    wanted = np.sort(scores, axis=1)[:, -40:]
    assert (np.sort(np.take_along_axis(scores, best_of(scores, 40), axis=1), axis=1) == wanted).all()


def test_a_recordings_vector_is_the_least_squares_solution() -> None:
    random = np.random.default_rng(1)
    users = random.standard_normal((30, 4))
    signed = scipy.sparse.csr_matrix(np.where(random.random((2, 30)) < 0.3, 2.5, 0.0) * random.choice([1, -1], (2, 30)))
    priors = [random.standard_normal((2, 4)), random.standard_normal((2, 4))]
    evidence = Evidence.of(signed.T.tocsr(), users)
    found = solved(evidence, Listening.of(evidence, signed), priors, 0.7, 0.3)
    for row, confidence in enumerate(signed.toarray()):
        observed = np.abs(confidence) > 0
        matrix = 0.3 * users.T @ users + 0.7 * np.eye(4)
        matrix += (users * np.where(observed, np.abs(confidence) - 0.3, 0.0)[:, None]).T @ users
        said = np.maximum(confidence, 0) @ users
        assert found[0][row] == pytest.approx(np.linalg.solve(matrix, said + 0.7 * priors[0][row]))
        assert found[1][row] == pytest.approx(np.linalg.solve(matrix, 0.7 * priors[1][row]))


def test_neighbours_differ_in_artist_and_a_slot_of_an_arm_is_heard_early() -> None:
    artist = np.array([[1] * 10 + list(range(2, 22))])
    by_chance = np.zeros((1, 30), dtype=bool)
    by_chance[0, 29] = True
    order = order_heard(artist, by_chance, np.zeros((1, 30, 4), dtype=np.float32))[0]
    assert sorted(order.tolist()) == list(range(30))
    assert (np.diff(artist[0, order]) != 0).all()
    assert order.tolist().index(29) < 15


def test_what_gives_way_is_in_order_and_ends_with_any_thirty() -> None:
    rules = [rule for rule, _, _ in plain_draws.ladder()]
    assert rules == sorted(rules, key=["new_artist_share", "tracks_per_album", "tracks_per_artist"].index)
    assert all(before < after for rule, before, after in plain_draws.ladder() if rule != "new_artist_share")


def test_rules_give_way_only_as_far_as_a_list_needs() -> None:
    count = 33  # three tracks by each of eleven artists, all known to the listener, of no album
    row = np.arange(count)[None, :]
    yes, score = np.ones((1, count), dtype=bool), -row.astype(np.float32)
    bits, album = np.ones((1, count), dtype=np.uint8), -1 - row
    found = Found(np.zeros(1, dtype=int), row, yes, score, bits, yes, row, row // 3, album, ~yes, score)
    nothing = popularity_parts(np.zeros(count), 0.5, 0.9)
    mix = plain_draws.Division(nothing, np.zeros((1, 3), dtype=np.float32), np.zeros(1))
    chance = plain_draws.Chance(np.zeros(1, bool), np.zeros(1, bool), np.zeros(count, bool), np.zeros((1, 30, 2)))
    strict = plain_draws.draw(found, mix, mix, chance, Stopwatch())
    assert (strict.pick >= 0).sum() == 15  # half are to be by new artists, of whom there are none
    full, steps = plain_draws.draw_giving_way(found, mix, mix, strict, np.full((1, 30), -1))
    assert sorted(full.pick[0].tolist()) == list(range(30))
    needed = [(rule, before, after) for rows, rule, before, after in steps if len(rows)]
    assert needed == [
        *(("new_artist_share", 0.5, 0.25), ("new_artist_share", 0.25, 0.0)),
        ("tracks_per_artist", 2.0, 3.0),
    ]
