"""The plain job's tables, in one DuckDB file: lists, their slots, and what was taken out or gave way.

Belongs here: from arrays to the columns of the main tables that ours publishes. Does not: what is in the lists
(plain_lists.py).
"""

from pathlib import Path
from types import TracebackType

import duckdb
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints
from models_ml.assembly import PLAYLIST_LENGTH as LENGTH
from models_ml.candidates import CandidateParams
from models_ml.rules import FILTER_RULES, RUNGS, SOURCES
from tests.benchmarks.plain_candidates import Funnel
from tests.benchmarks.plain_catalogue import Catalogue
from tests.benchmarks.plain_draws import ARMS
from tests.benchmarks.plain_genres import MOST_GENRES, Genres
from tests.benchmarks.plain_input import Input
from tests.benchmarks.plain_lists import Lists
from tests.benchmarks.plain_reasons import CODES
from tests.benchmarks.plain_starts import Listeners
from tests.benchmarks.stopwatch import Stopwatch

SHARE, MINIMUM = CandidateParams().rejected_sample_share, CandidateParams().rejected_sample_minimum
REASONS = """
create view playlist_track_reasons as
unpivot (select week, user_id, position, columns('contribution_.*') from weekly_playlist_tracks)
on columns('contribution_.*') into name component value contribution
"""


def stage_seconds(out: Path) -> dict[str, float]:
    """Seconds by stage of the job that wrote the file."""
    with duckdb.connect(str(out), read_only=True) as connection:
        return dict(connection.execute("select stage, seconds from stages").fetchall())


def sampled_listeners(count: int, random: np.random.Generator) -> Bools:
    """(n,) true for those whose rejected candidates are kept."""
    sampled = np.zeros(count, dtype=bool)
    sampled[random.permutation(count)[: max(MINIMUM, round(SHARE * count))]] = True
    return sampled


class Ledgers:
    """Writes the tables."""

    def __init__(
        self, out: Path, week: pd.Timestamp, given: Input, catalogue: Catalogue, listeners: Listeners, genres: Genres
    ) -> None:
        """out: a file that isn't there yet."""
        # Two threads wait for each other over inserts of this size: half as much again of CPU.
        self._connection = duckdb.connect(str(out), config={"threads": 1})
        self._week = pa.scalar(week.date(), pa.date32())
        self._catalogue, self._listeners, self._genres = catalogue, listeners, genres
        tracks = given.tracks
        self._tracks = {
            name: _texts(tracks[name]) for name in ("track_id", "title", "artist_id", "artist_name", "album_id")
        }
        self._released = pa.array(tracks["released_on"].dt.date, pa.date32())
        self._user_id = _texts(given.users["user_id"])
        place = np.where(genres.place < len(genres.names), genres.place, 0)
        there = np.arange(MOST_GENRES) < genres.count[:, None]
        offsets = np.append(0, genres.count.cumsum()).astype(np.int32)
        self._genre_lists = pa.ListArray.from_arrays(
            offsets, pa.array(genres.names, pa.string()).take(pa.array(place[there]))
        )

    def __enter__(self) -> "Ledgers":
        # One transaction: many small ones would write everything twice, the log first.
        self._connection.execute("begin")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def keep(self, lists: Lists, taste: Floats) -> None:
        """Append a batch.  taste: (b, g) of all listeners."""
        self._append("weekly_playlist_tracks", self._slots(lists, taste))
        self._append("weekly_playlists", self._summaries(lists))

    def finish(self, funnel: Funnel, relaxations: list[pd.DataFrame]) -> None:
        """The small tables."""
        keys = sorted(funnel.candidates)
        counted = {
            "stage": [stage for stage, _ in keys],
            "rule_id": [rule for _, rule in keys],
            "candidate_count": [funnel.candidates[key] for key in keys],
            "listener_count": [funnel.listeners[key] for key in keys],
        }
        self._append("candidate_funnel", pa.table(counted))
        self._append("rejected_candidates", self._rejected(pd.concat(funnel.rejected)))
        nothing = pd.DataFrame({"user": [], "rule_id": [], "limit_from": [], "limit_to": []})
        self._append("playlist_relaxations", self._relaxed(pd.concat([nothing, *relaxations])))
        self._connection.execute(
            "alter table weekly_playlists add column status varchar;"
            "update weekly_playlists set status = case when user_id in (select user_id from playlist_relaxations)"
            " then 'relaxed' else 'complete' end"
        )
        self._connection.execute(REASONS)
        self._connection.execute("commit")
        self._connection.execute("checkpoint")

    def tell(self, clock: Stopwatch) -> None:
        """Seconds by stage."""
        seconds, cpu_seconds = clock.seconds.values(), clock.cpu_seconds.values()
        columns = {"stage": list(clock.seconds), "seconds": list(seconds), "cpu_seconds": list(cpu_seconds)}
        self._append("stages", pa.table(columns))

    def _append(self, name: str, rows: pa.Table) -> None:
        self._connection.register("new_rows", rows)
        self._connection.execute(f"create table if not exists {name} as from new_rows limit 0")
        self._connection.execute(f"insert into {name} by name from new_rows")
        self._connection.unregister("new_rows")

    def _slots(self, lists: Lists, taste: Floats) -> pa.Table:
        slots, parts, drawn = lists.slots, lists.parts, lists.drawn
        arm = drawn.arm.ravel()
        count = len(arm)
        segment = np.where(taste.any(axis=1), taste.argmax(axis=1), taste.shape[1])[np.repeat(lists.users, LENGTH)]
        ordinary = arm < 0  # what is not of an arm has none of its columns
        tracks, recording = pa.array(slots.track), slots.recording
        score = parts.collaborative + parts.text + parts.popularity + parts.freshness + parts.boost
        primary = np.log2(lists.sources.ravel() & -lists.sources.ravel().astype(np.int16)).astype(np.int8)
        anchors = np.where(slots.anchor >= 0, self._catalogue.main_edition[slots.anchor], -1)
        return pa.table(
            {
                "week": pa.repeat(self._week, count),
                "user_id": _picked(self._user_id, slots.owner),
                "position": np.tile(np.arange(1, LENGTH + 1, dtype=np.int32), len(lists.users)),
                **{name: _picked(column, slots.track) for name, column in self._tracks.items()},
                "released_on": self._released.take(tracks),
                "genres": self._genre_lists.take(pa.array(recording)),
                "genres_are_guessed": self._genres.guessed[recording],
                "slot_kind": _named(("exploit", "explore"), (~ordinary).astype(np.int8)),
                "primary_source": _named(SOURCES, primary),
                "track_rung": _named(RUNGS, lists.rung),
                "is_new_artist": lists.is_new.ravel(),
                "popularity_percentile": self._catalogue.percentile[recording],
                "final_score": score,
                "contribution_collaborative": parts.collaborative,
                "contribution_text": parts.text,
                "contribution_popularity": parts.popularity,
                "contribution_freshness": parts.freshness,
                "contribution_boost": parts.boost,
                "segment": _named((*self._genres.names, "everyone"), np.where(ordinary, -1, segment)),
                "arm_id": _named(ARMS, arm),
                "p_arm": pa.array(drawn.p_arm.ravel(), mask=ordinary),
                "p_track": drawn.p_track.ravel(),
                "feasible_count": pa.array(drawn.feasible.ravel().astype(np.int32), mask=drawn.feasible.ravel() < 0),
                "draw_number": lists.number.ravel().astype(np.int32),
                "propensity_valid": drawn.exact.ravel(),
                "reason_code": _named(CODES, lists.codes),
                "reason": pa.array(lists.reasons, pa.string()),
                "anchor_track_id": _picked(self._tracks["track_id"], anchors),
            }
        )

    def _summaries(self, lists: Lists) -> pa.Table:
        """A row a list."""
        count = len(lists.users)
        names = ("genre_kl", "genre_kl_least", "popularity_kl", "popularity_kl_least")
        return pa.table(
            {
                "week": pa.repeat(self._week, count),
                "user_id": self._user_id.take(pa.array(lists.users)),
                "track_count": np.full(count, LENGTH, dtype=np.int32),
                "listener_rung": _named(RUNGS, self._listeners.rung[lists.users]),
                "new_artist_count": lists.is_new.sum(axis=1).astype(np.int32),
                **{
                    name: pa.array(lists.mixes[:, column], mask=np.isnan(lists.mixes[:, column]))
                    for column, name in enumerate(names)
                },
            }
        )

    def _rejected(self, rows: pd.DataFrame) -> pa.Table:
        rows = rows.sort_values(["user", "recording"])
        return pa.table(
            {
                "week": pa.repeat(self._week, len(rows)),
                "user_id": self._user_id.take(pa.array(rows["user"])),
                "track_id": self._tracks["track_id"].take(pa.array(self._catalogue.main_edition[rows["recording"]])),
                "rule_id": _named(("", *FILTER_RULES), rows["code"].to_numpy()),
                "stage": pa.repeat("filter", len(rows)),
                "counterfactual_rank": pa.array(rows["counterfactual_rank"], pa.int32()),
            }
        )

    def _relaxed(self, rows: pd.DataFrame) -> pa.Table:
        step = rows.groupby("user").cumcount() + 1
        return pa.table(
            {
                "week": pa.repeat(self._week, len(rows)),
                "user_id": self._user_id.take(pa.array(rows["user"], pa.int64())),
                "rule_id": pa.array(rows["rule_id"], pa.string()),
                "step": pa.array(step, pa.int32()),
                "limit_from": pa.array(rows["limit_from"], pa.float64()),
                "limit_to": pa.array(rows["limit_to"], pa.float64()),
            }
        )


def _texts(values: pd.Series) -> pa.Array:
    return pa.array(values.where(values.notna(), None).to_numpy(dtype=object), pa.string())


def _named(names: tuple[str, ...], codes: Ints) -> pa.Array:
    """The name of each code, null below zero; each name once, which DuckDB takes over faster where they are few."""
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32), mask=codes < 0), pa.array(names, pa.string())
    )


def _picked(texts: pa.Array, places: Ints) -> pa.Array:
    """The text at each place, null below zero."""
    return texts.take(pa.array(places, mask=places < 0))
