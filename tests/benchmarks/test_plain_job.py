"""The plain job on a tiny demo world: its lists are lists, so that a comparison with it means something.

Belongs here: what holds of its output. Does not: how fast it is.
"""

import datetime as dt
import shutil
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models_ml.demo_world import WorldParams, WorldSize, write_world
from tests.benchmarks.plain_input import Input, read_input
from tests.benchmarks.plain_job import make_lists

WEEK = dt.date(2026, 11, 16)
MONDAY = pd.Timestamp(WEEK, tz="UTC")


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    size = WorldSize(listeners=120, tracks=600, weeks=1, last_week=WEEK + dt.timedelta(weeks=1), sound=False)
    write_world(folder / "landing", folder / "truth", size, WorldParams(), 3)
    return folder / "landing"


@pytest.fixture(scope="module")
def given(landing: Path) -> Input:
    return read_input(landing, MONDAY)


@pytest.fixture(scope="module")
def lists(landing: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("lists") / "lists.parquet"
    make_lists(landing, MONDAY, out)
    return pd.read_parquet(out)


def test_every_listener_has_thirty_distinct_recordings_at_positions_one_to_thirty(
    lists: pd.DataFrame, given: Input
) -> None:
    recording = given.tracks.set_index("track_id")["recording"]
    recordings = lists.assign(recording=recording.reindex(lists["track_id"]).to_numpy()).groupby("user_id")["recording"]
    assert set(lists["user_id"]) == set(given.users["user_id"])
    assert (recordings.nunique() == 30).all()
    assert (lists.groupby("user_id")["position"].agg(list).map(sorted).map(tuple) == tuple(range(1, 31))).all()


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


def test_scores_add_up_and_every_track_has_a_reason(lists: pd.DataFrame) -> None:
    parts = lists[["contribution_collaborative", "contribution_popularity", "contribution_freshness"]].sum(axis=1)
    assert (parts - lists["final_score"]).abs().max() < 1e-9
    assert lists["reason"].notna().all()
