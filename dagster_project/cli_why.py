"""Why a track is, or is not, in a listener's list: for any listener, by the code and the tables that made the list.

Belongs here: which question is asked after which, and the answers in words. Does not: scores, ranks and filters
(models_ml).
"""

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.cli_queries import newest_week, published_file
from dagster_project.home import Home
from dagster_project.lake import Lake
from models_ml.pools import Pool, from_batch
from models_ml.rules import COLLABORATIVE, FILTER_RULES, NEW_ARTIST_SHARE, TRACKS_PER_ALBUM, TRACKS_PER_ARTIST
from models_ml.standing import ListQuestions, Nearness, Standing

_PARTS = "contribution_"


def why_track(home: Home, user_id: str, track_id: str, week: dt.date | None = None) -> str:
    """Why a track is in a listener's list, part by part, or what kept it out: a filter, its rank, a rule, no source."""
    with published_file(home) as connection:
        week = week or newest_week(connection)
        found = (
            connection.execute(
                "select tracks.*, lists.listener_rung from weekly_playlist_tracks as tracks "
                "inner join weekly_playlists as lists using (program_id, week, user_id) "
                "where user_id = ? and track_id = ? and week = ?",
                [user_id, track_id, week],
            )
            .to_arrow_table()
            .to_pylist()
        )
    return _given(found[0]) if found else _not_given(home, user_id, track_id, week)


def _given(row: dict[str, Any]) -> str:
    lines = [
        f"{row['title']} by {row['artist_name']} is number {row['position']} of {row['user_id']}, Monday {row['week']}",
        f"  {row['reason']}",
    ]
    if row["anchor_track_id"]:
        lines.append(f"  heard track behind it: {row['anchor_track_id']}")
    lines.append(f"  found by: {', '.join(row['candidate_sources'])}")
    lines.append(f"  stands on: {row['track_rung']} (the listener on {row['listener_rung']})")
    if row.get("is_refill"):
        lines.append("  took the place of a track that was taken down")
    parts = {name.removeprefix(_PARTS): value for name, value in row.items() if name.startswith(_PARTS)}
    return "\n".join([*lines, *_sum(parts, row["final_score"])])


def _sum(parts: dict[str, float], score: float) -> list[str]:
    return [*(f"  {name:<15} {value:+.6f}" for name, value in parts.items()), f"  {'score':<15} {score:+.6f}"]


def _not_given(home: Home, user_id: str, track_id: str, week: dt.date) -> str:
    lake = Lake(home.lake)
    listener = _first(lake, "features/listeners", week, "user_id", user_id)
    if listener is None:
        return f"{user_id} is no listener of {week}: nothing of theirs was known before that Monday"
    edition = _first(lake, "features/editions", week, "track_id", track_id)
    if edition is None:
        return (
            f"{track_id} was not known before Monday {week}: it is in no tracks file of that week, or comes out later"
        )
    name = f"{edition['title']} by {edition['artist_name']}"
    if edition["unavailable_rule"]:
        return f"{name} can't be given to anyone on {week}: {edition['unavailable_rule'].replace('_', ' ')}"
    return _by_the_code_that_made_it(home, week, listener, edition, name)


def _by_the_code_that_made_it(
    home: Home, week: dt.date, listener: dict[str, Any], edition: dict[str, Any], name: str
) -> str:
    # Here, not above: loading Dagster takes two seconds, and what is given or unknown needs none of it.
    from dagster_project.assets.playlists import playlist_inputs
    from dagster_project.resources import week_configuration
    from dagster_project.takedowns import recorded
    from models_ml.eligibility import filter_codes

    lake, user, recording = Lake(home.lake), listener["user_index"], edition["recording_index"]
    if any(takedown.takes(pa.Table.from_pylist([edition]))[0] for takedown in recorded(home, week)):
        return f"{name} was taken down after the lists of {week} were out"
    of = playlist_inputs(lake, week, week_configuration(home, week)).of(user)
    code = int(filter_codes(of.features, np.array([user]), np.array([recording]))[0])
    if code:
        return _kept_from(name, listener, week, FILTER_RULES[code - 1])
    slots = _of(lake, "ml/playlist_slots", week, user)
    if not len(slots):
        return (
            f"{name} passes, and {listener['user_id']} has no playlist on {week}: "
            "fewer than thirty tracks pass the filters"
        )
    given = [
        row for row in slots.select(["recording_index", "position"]).to_pylist() if row["recording_index"] == recording
    ]
    if given:
        return f"{name} is another edition of number {given[0]['position']} of {listener['user_id']}, Monday {week}"
    questions = ListQuestions(of.features, of.factors, of.params, of.content, of.calibration, learning=of.learning)
    pool = _pool(_of(lake, "candidates/candidates", week, user))
    standing = questions.standing(user, pool, recording, slots)
    if recording in pool.recordings:
        return _outranked(name, listener["user_id"], week, standing)
    near = questions.nearness(user, recording)
    return _not_found(name, listener["user_id"], week, standing, near, len(pool))


def _kept_from(name: str, listener: dict[str, Any], week: dt.date, rule: str) -> str:
    words = f"not available in market {listener['market']}" if rule == "market" else rule.replace("_", " ")
    return f"{name} is kept from {listener['user_id']} on {week}: {words}"


def _outranked(name: str, user_id: str, week: dt.date, standing: Standing) -> str:
    head = f"{name} was candidate {standing.rank} of {standing.count} for {user_id} on {week}"
    beside = f"score {standing.score:+.6f}, the weakest of the list has {standing.lowest:+.6f}"
    if standing.held_back is None:
        words = f"behind the list: {beside}"
    else:
        words = f"kept out by {_rule(standing.held_back)}: {beside}"
    return "\n".join([f"{head}, {words}", *_sum(standing.components, standing.score)])


def _rule(held_back: str) -> str:
    """What kept out a candidate that scored higher than the list's weakest."""
    return {
        TRACKS_PER_ARTIST: "tracks_per_artist (its artist has as many tracks there as may be)",
        TRACKS_PER_ALBUM: "tracks_per_album (its album has as many tracks there as may be)",
        NEW_ARTIST_SHARE: "new_artist_share (its artist is known, and no more of the known fit in)",
    }.get(held_back, "the mix of genres or of popularity, or a slot that is kept for others")


def _not_found(name: str, user_id: str, week: dt.date, standing: Standing, near: Nearness, found: int) -> str:
    if near.place is None:
        where = "it has no vector" if near.source == COLLABORATIVE else "it isn't on the list of what is popular"
    elif near.source == COLLABORATIVE:
        where = f"it is number {near.place:,} by nearness of the {near.among:,} that pass every filter"
    else:
        where = f"it is number {near.place:,} of the {near.among:,} popular ones that pass every filter"
    head = f"{name} was not among the {found} candidates for {user_id} on {week}: no source found it, {where}"
    beside = f"with its score it would be number {standing.rank} of {standing.count}; the list's weakest has"
    return "\n".join([head, f"  {beside} {standing.lowest:+.6f}", *_sum(standing.components, standing.score)])


def _pool(rows: pa.Table) -> Pool:
    """The candidates of one listener."""
    return from_batch(rows.combine_chunks().to_batches()[0])[1]


def _of(lake: Lake, table: str, week: dt.date, user: int) -> pa.Table:
    return pq.read_table(lake.path(table, week), partitioning=None, filters=[("user_index", "==", user)])


def _first(lake: Lake, table: str, week: dt.date, column: str, value: str) -> dict[str, Any] | None:
    rows = pq.read_table(lake.path(table, week), partitioning=None, filters=[(column, "==", value)]).to_pylist()
    return rows[0] if rows else None
