"""The playlist archive as of a Monday: what each playlist had been given by then, and what it was given next.

Belongs here: history and truth by position in the week's features, recall and nDCG of lists against that truth.
Does not: where lists come from (playlist_continuation_ours.py, playlist_continuation_baselines.py).

Truth is in tracks, lists are of recordings: a hit on any edition counts, once.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from dagster_project.lake import Lake
from models_ml.arrays import Bools, Floats, Ints
from models_ml.evaluation.metrics import NDCG, metrics_of_hits

WINDOW_DAYS = 28
LIST_LENGTH = 30
SEASONED_TRACKS = 20

# One row per playlist and track: everything that is known of it before the Monday, and what came in the window.
_AS_OF = """
with entries as (
    select playlist_id, track_id, added_on, min(added_on) over (partition by playlist_id) as begun_on
    from read_parquet('{source}/entries.parquet')
),
known_tracks as (select distinct track_id from entries where added_on < $week),
pairs as (
    select
        playlist_id, track_id,
        max(added_on) filter (added_on < $week) as last_added_on,
        min(added_on) filter (added_on < $week) as first_added_on,
        count(*) filter (added_on >= $week and added_on < $until and added_on > begun_on) > 0 as is_added_next
    from entries
    group by playlist_id, track_id
)
select
    playlist_id, track_id,
    date_diff('day', last_added_on, $week) as last_added_days_ago,
    date_diff('day', first_added_on, $week) as first_added_days_ago,
    last_added_on is null and is_added_next as is_truth,
    known_tracks.track_id is not null as is_known
from pairs
left join known_tracks using (track_id)
where last_added_on is not null or is_added_next
order by playlist_id, track_id
"""


@dataclass(frozen=True)
class History:
    """Unique (playlist, recording) pairs of before the Monday, with the days since they were added."""

    playlist: Ints
    recording: Ints
    last_added_days: Floats
    first_added_days: Floats
    artist_of_recording: Ints
    shape: tuple[int, int]


@dataclass(frozen=True)
class Monday:
    """One Monday; playlists are positions in `playlist_ids`, recordings those of the week's features.

    track_count: (p,) tracks each playlist was given before.  wanted: (p,) tracks of its truth, `newcomers` those that
    no playlist held before, which nobody can know.  truth_playlist, truth_recording: unique pairs of the truth.
    """

    week: dt.date
    playlist_ids: pa.Array
    history: History
    track_count: Ints
    wanted: Ints
    newcomers: Ints
    truth_playlist: Ints
    truth_recording: Ints

    @property
    def is_known(self) -> Bools:
        """(p,) True for playlists with truth that were seen before the Monday."""
        return np.asarray((self.wanted > 0) & (self.track_count > 0))

    @property
    def is_seasoned(self) -> Bools:
        """(p,) True for those of them with a history of some length."""
        return self.is_known & np.asarray(self.track_count >= SEASONED_TRACKS)

    @property
    def taken_out(self) -> Bools:
        """(p, m) True where a playlist had the recording."""
        mask = np.zeros(self.history.shape, dtype=bool)
        mask[self.history.playlist, self.history.recording] = True
        return mask

    def recall(self, lists: Ints) -> Floats:
        """(p,) hits over what a list of thirty could have hit; NaN without truth.  lists: (p, L), -1 for none."""
        possible = np.minimum(self.wanted, LIST_LENGTH)
        return np.where(possible > 0, self._hits(lists).sum(axis=1) / np.maximum(possible, 1), np.nan)

    def plain_recall(self, lists: Ints) -> Floats:
        """(p,) hits over all tracks that were newly added, those that nobody could know too."""
        added = self.wanted + self.newcomers
        return np.where(added > 0, self._hits(lists).sum(axis=1) / np.maximum(added, 1), np.nan)

    def ndcg(self, lists: Ints) -> Floats:
        """(p,) the same with hits near the top counting for more; NaN without truth.  lists: best first."""
        return metrics_of_hits(self._hits(lists), self.wanted, LIST_LENGTH)[NDCG]

    def plain_ceiling(self) -> Floats:
        """(p,) the highest plain recall there can be."""
        added = self.wanted + self.newcomers
        return np.where(added > 0, np.minimum(self.wanted, LIST_LENGTH) / np.maximum(added, 1), np.nan)

    def lists_of(self, table: pa.Table, user_ids: pa.Array) -> Ints:
        """(p, 30) recordings of each playlist, -1 for none.  table: user_index, recording_index, best first."""
        place = _codes(user_ids, self.playlist_ids)[table["user_index"].to_numpy()]
        order = np.argsort(place, kind="stable")
        rows, recordings = place[order], table["recording_index"].to_numpy()[order]
        nth = np.arange(len(rows)) - np.searchsorted(rows, rows)
        lists = np.full((len(self.playlist_ids), LIST_LENGTH), -1, dtype=np.int64)
        chosen = (rows >= 0) & (nth < LIST_LENGTH)
        lists[rows[chosen], nth[chosen]] = recordings[chosen]
        return lists

    def _hits(self, lists: Ints) -> Bools:
        """(p, L) True for recordings of the list that are in the truth."""
        width = self.history.shape[1]
        truth = self.truth_playlist * width + self.truth_recording
        asked = np.arange(len(lists))[:, None] * width + lists
        return np.asarray(np.isin(asked, truth) & (lists >= 0))


def read_monday(source: Path, lake: Lake, week: dt.date) -> Monday:
    """The archive as of a Monday, by the recordings of that week's features."""
    until = week + dt.timedelta(days=WINDOW_DAYS)
    with duckdb.connect() as connection:
        query = _AS_OF.format(source=source)
        pairs = connection.execute(query, {"week": week, "until": until}).fetch_arrow_table()
    playlist_ids = pa.array(sorted(set(pairs["playlist_id"].to_pylist())))
    playlist = _codes(pairs["playlist_id"].combine_chunks(), playlist_ids)
    editions = lake.read_week("features/editions", week, ["track_id", "recording_index", "artist_index"])
    place = _codes(pairs["track_id"].combine_chunks(), editions["track_id"].combine_chunks())
    recording = np.where(place >= 0, editions["recording_index"].to_numpy()[place], -1)
    is_truth, is_known = (pairs[name].to_numpy(zero_copy_only=False) for name in ("is_truth", "is_known"))
    wanted = is_truth & is_known
    reachable = wanted & (recording >= 0)
    truth = np.unique(np.stack([playlist[reachable], recording[reachable]], axis=1), axis=0)
    count = len(playlist_ids)
    return Monday(
        week,
        playlist_ids,
        _history(pairs, playlist, recording, editions, count),
        np.bincount(playlist[~is_truth], minlength=count),
        np.bincount(playlist[wanted], minlength=count),
        np.bincount(playlist[is_truth & ~is_known], minlength=count),
        truth[:, 0],
        truth[:, 1],
    )


def _history(pairs: pa.Table, playlist: Ints, recording: Ints, editions: pa.Table, count: int) -> History:
    """Of several editions on a playlist, the newest last day and the oldest first day."""
    last = pairs["last_added_days_ago"].to_numpy(zero_copy_only=False).astype(np.float64)
    first = pairs["first_added_days_ago"].to_numpy(zero_copy_only=False).astype(np.float64)
    indexes, width_of = editions["recording_index"].to_numpy(), int(editions["recording_index"].to_numpy().max()) + 1
    mine = np.isfinite(last) & (recording >= 0)
    keys, group = np.unique(playlist[mine] * width_of + recording[mine], return_inverse=True)
    newest, oldest = np.full(len(keys), np.inf), np.zeros(len(keys))
    np.minimum.at(newest, group, last[mine])
    np.maximum.at(oldest, group, first[mine])
    _, preferred = np.unique(indexes, return_index=True)
    artist = editions["artist_index"].to_numpy()[preferred]
    return History(keys // width_of, keys % width_of, newest, oldest, artist, (count, width_of))


def _codes(ids: pa.Array, known: pa.Array) -> Ints:
    """Position of each id among the known ones, -1 where it is none of them."""
    places = pa.compute.fill_null(pa.compute.index_in(ids.cast(pa.string()), known.cast(pa.string())), -1)
    return np.asarray(places.to_numpy(zero_copy_only=False), dtype=np.int64)
