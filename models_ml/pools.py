"""Pools: the candidates of a block of listeners as flat arrays, and as the Arrow table that is kept.

Belongs here: merging what several sources found, and the form candidates have between two steps.
Does not: searching, filtering, ranking.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Floats, Ints, place_in_row, stable_order
from models_ml.rules import POPULAR, RUNGS, SOURCE_BITS

CANDIDATES_SCHEMA = pa.schema(
    {
        "user_index": pa.int32(),
        "listener_rung": pa.string(),
        "recording_index": pa.list_(pa.int32()),
        "score": pa.list_(pa.float32()),
        "sources": pa.list_(pa.uint8()),
    }
)


@dataclass(frozen=True)
class Pool:
    """Candidates of a block of listeners, sorted by row then recording, each pair once.

    rows: (c,) int64 place of the listener in the block.  recordings: (c,) int32.
    scores: (c,) float32 retrieval scores.  sources: (c,) uint8 bits of rules.SOURCE_BITS.
    """

    rows: Ints
    recordings: Ints
    scores: Floats
    sources: Ints

    def __len__(self) -> int:
        """Number of candidates c."""
        return len(self.rows)

    def where(self, chosen: Bools) -> "Pool":
        """The chosen candidates."""
        return Pool(self.rows[chosen], self.recordings[chosen], self.scores[chosen], self.sources[chosen])

    def lengths(self, row_count: int) -> Ints:
        """Candidates of each row."""
        return np.bincount(self.rows, minlength=row_count)

    def is_personal(self) -> Bools:
        """True for candidates found by the listener's own vector."""
        return (self.sources & ~np.uint8(SOURCE_BITS[POPULAR])) > 0

    def ranks(self, row_count: int) -> Ints:
        """Place of each candidate in its row by score, from 0, ties by recording."""
        order = np.lexsort((self.recordings, -self.scores, self.rows))
        ranks = np.empty(len(self), dtype=np.int64)
        ranks[order] = place_in_row(self.rows[order])
        return ranks


def from_grid(rows: Ints, positions: Ints, scores: Floats, source: str) -> Pool:
    """Pool of a (b, k) search result, -1 left out; rows: (b,) places in the block.  Not sorted yet."""
    found = positions >= 0
    row, _ = np.nonzero(found)
    bits = np.full(len(row), SOURCE_BITS[source], dtype=np.uint8)
    return Pool(rows[row].astype(np.int64), positions[found], scores[found].astype(np.float32), bits)


def merged(pools: list[Pool]) -> Pool:
    """The pools as one, a pair found by several sources keeping all of them and the first one's score."""
    rows = np.concatenate([pool.rows for pool in pools])
    recordings = np.concatenate([pool.recordings for pool in pools])
    scores = np.concatenate([pool.scores for pool in pools])
    sources = np.concatenate([pool.sources for pool in pools])
    if not len(rows):
        return Pool(rows, recordings, scores, sources)
    keys = rows * (int(recordings.max()) + 1) + recordings
    order = stable_order(keys)
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    first = order[starts]
    return Pool(rows[first], recordings[first], scores[first], np.bitwise_or.reduceat(sources[order], starts))


def replaced(pool: Pool, rows: Ints, newer: Pool) -> Pool:
    """The pool with these rows taken from the newer one, whose rows count within `rows`."""
    stays = ~np.isin(pool.rows, rows)
    moved = Pool(rows[newer.rows].astype(np.int64), newer.recordings, newer.scores, newer.sources)
    return merged([pool.where(stays), moved])


def to_table(pool: Pool, listeners: Ints, rungs: Ints) -> pa.Table:
    """One row per listener of the block, with lists in the order of the recordings (CANDIDATES_SCHEMA).

    rungs: (b,) codes of rules.RUNGS.
    """
    offsets = np.concatenate([[0], np.cumsum(pool.lengths(len(listeners)))]).astype(np.int32)
    lists = [pa.ListArray.from_arrays(offsets, values) for values in (pool.recordings, pool.scores, pool.sources)]
    columns = [pa.array(listeners, pa.int32()), pa.array(RUNGS).take(pa.array(rungs)), *lists]
    return pa.Table.from_arrays(columns, schema=CANDIDATES_SCHEMA)


def from_batch(batch: pa.RecordBatch) -> tuple[Ints, Pool]:
    """(listeners, pool) of one batch of the table that `to_table` makes."""
    recordings, scores, sources = (batch.column(name) for name in ("recording_index", "score", "sources"))
    lengths = recordings.value_lengths().to_numpy(zero_copy_only=False)
    listeners = batch.column("user_index").to_numpy().astype(np.int64)
    rows = np.repeat(np.arange(len(listeners), dtype=np.int64), lengths)
    flat = [values.flatten().to_numpy(zero_copy_only=False) for values in (recordings, scores, sources)]
    return listeners, Pool(rows, *flat)
