"""Chances of a completion beside what came of them, by rung, over the slots that a world's listeners reach.

Belongs here: lists as a world's listeners get them, how they react to these, the table. Does not: how lists are made.
"""

import datetime as dt
import shutil
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.home import Home
from dagster_project.lake import Lake
from models_ml.arrays import Bools, Floats, Ints
from models_ml.demo_world import WorldParams
from models_ml.demo_world.reaction_files import write_reactions
from models_ml.evaluation.bootstrap import ratio_of_means
from models_ml.features import WeekFeatures
from models_ml.ranker.reliability import expected_calibration_error
from tests.benchmarks.demo_weeks import WEEK, World

_COMPLETED_SHARE = 0.9


@dataclass(frozen=True)
class ReachedSlots:
    """Slots that were reached and have a chance: arrays of (slots,).

    listener: position.  rung: of the track.  foretold: p_complete.  completed: whether it was.
    """

    listener: Ints
    rung: np.ndarray
    foretold: Floats
    completed: Bools


def given_lists(home: Home, features: WeekFeatures, slots: pa.Table, week: dt.date = WEEK) -> tuple[pa.Table, pa.Table]:
    """(slots, lists) as the world's listeners get them."""
    user = features.user_id.take(slots["user_index"].combine_chunks())
    given = pa.table(
        {
            "user_id": user,
            "position": slots["position"].cast(pa.int32()),
            "playlist_id": pc.binary_join_element_wise(f"discover:{week}", user, ":"),
            "track_id": _track_ids(home, slots, week),
            "is_new_artist": slots["is_new_artist"],
        }
    )
    everyone = pc.unique(user)
    there = pa.array([dt.datetime.combine(week, dt.time())] * len(everyone), pa.timestamp("us"))
    return given, pa.table({"user_id": everyone, "available_at": there})


def _track_ids(home: Home, slots: pa.Table, week: dt.date) -> pa.Array:
    editions = Lake(home.lake).read_week("features/editions", week, ["track_id"])["track_id"].combine_chunks()
    return editions.take(slots["edition_index"].combine_chunks())


def reached_slots(world: World, slots: pa.Table, params: WorldParams, seed: int) -> ReachedSlots:
    """What the world's listeners make of the lists of W."""
    landing, truth = (world.home.root / "tried" / name for name in ("landing", "truth"))
    shutil.rmtree(landing.parent, ignore_errors=True)
    shutil.copytree(world.home.root / "truth", truth)
    shutil.copytree(world.home.landing / "tracks", landing / "tracks")
    given, there = given_lists(world.home, world.features, slots)
    write_reactions(landing, truth, given, there, WEEK, params, seed)
    events = pq.read_table(landing / "events" / f"week={WEEK}", partitioning=None)
    played = events.filter(pc.is_in(events["event_type"], pa.array(["play", "skip"])))
    played = played.filter(pc.is_in(played["context_id"], pc.unique(given["playlist_id"])))
    lengths = pq.read_table(landing / "tracks", columns=["track_id", "duration_ms"])
    length = (
        lengths["duration_ms"]
        .combine_chunks()
        .take(pc.index_in(played["track_id"].combine_chunks(), lengths["track_id"].combine_chunks()))
    )
    completed = pc.greater_equal(
        pc.cast(played["ms_played"], pa.float64()), pc.multiply(pc.cast(length, pa.float64()), _COMPLETED_SHARE)
    )
    keys = pc.binary_join_element_wise(given["user_id"], given["track_id"], " ")
    row = pc.index_in(pc.binary_join_element_wise(played["user_id"], played["track_id"], " "), keys.combine_chunks())
    known = pc.and_(pc.is_valid(row), pc.is_valid(completed)).to_numpy(zero_copy_only=False)
    row = np.nan_to_num(row.to_numpy(zero_copy_only=False)[known]).astype(np.int64)
    seen = completed.to_numpy(zero_copy_only=False)[known].astype(bool)
    chance = slots["p_complete"].to_numpy(zero_copy_only=False)[row]
    rung = slots["track_rung"].to_numpy(zero_copy_only=False)[row]
    shutil.rmtree(landing.parent)
    told = np.isfinite(chance)
    return ReachedSlots(slots["user_index"].to_numpy()[row][told], rung[told], chance[told], seen[told])


def reliability_table(worlds: list[ReachedSlots]) -> str:
    """Foretold, seen and their ratio by rung, all worlds together; 95 % over listeners, with all their slots."""
    lines = ["| rung | slots | foretold | seen | foretold / seen | calibration error |", "|---|---|---|---|---|---|"]
    rungs = sorted({rung for world in worlds for rung in world.rung.tolist()})
    for name in (*rungs, "all"):
        foretold, seen, parts = [], [], []
        for world in worlds:
            of = (world.rung == name) | (name == "all")
            count = int(world.listener.max(initial=-1)) + 1
            mine = np.bincount(world.listener[of], minlength=count) > 0
            foretold.append(np.bincount(world.listener[of], world.foretold[of], minlength=count)[mine])
            seen.append(np.bincount(world.listener[of], world.completed[of], minlength=count)[mine])
            parts.append((world.foretold[of], world.completed[of]))
        chance, done = (np.concatenate(values) for values in zip(*parts, strict=True))
        ratio = ratio_of_means(np.concatenate(foretold), np.concatenate(seen), 0)
        error = expected_calibration_error(chance, done, np.ones(len(chance)))
        lines.append(
            f"| {name} | {len(chance):,} | {chance.mean():.3f} | {done.mean():.3f} "
            f"| {ratio.mean:.2f} ({ratio.low:.2f} to {ratio.high:.2f}) | {error:.3f} |"
        )
    return "\n".join(lines)
