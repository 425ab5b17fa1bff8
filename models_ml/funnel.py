"""The funnel: how many candidates each source brought and each rule took out, and a sample of which.

Belongs here: counting, the choice of the sampled listeners, the two tables.
Does not: the rules themselves.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from models_ml.arrays import Bools, Ints
from models_ml.pools import Pool
from models_ml.rules import FILTER_RULES, SOURCE_BITS

FUNNEL_SCHEMA = pa.schema(
    {"stage": pa.string(), "rule_id": pa.string(), "candidates": pa.int64(), "listeners": pa.int64()}
)
REJECTED_SCHEMA = pa.schema(
    {
        "user_index": pa.int32(),
        "recording_index": pa.int32(),
        "rule_id": pa.string(),
        "stage": pa.string(),
        "counterfactual_rank": pa.int32(),
    }
)
_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)


@dataclass
class Funnel:
    """Candidates and listeners counted under (stage, rule_id); each listener is in one block only."""

    counts: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def count(self, stage: str, rule_id: str, rows: Ints) -> None:
        """Add a block's candidates, given by the row of their listener."""
        candidates, listeners = self.counts.get((stage, rule_id), (0, 0))
        touched = np.count_nonzero(np.bincount(rows)) if len(rows) else 0
        self.counts[stage, rule_id] = (candidates + len(rows), listeners + int(touched))

    def add(self, other: "Funnel") -> None:
        """Add what was counted over other listeners."""
        for key, (candidates, listeners) in other.counts.items():
            before = self.counts.get(key, (0, 0))
            self.counts[key] = (before[0] + candidates, before[1] + listeners)

    def count_sources(self, pool: Pool) -> None:
        """What each source found."""
        for source, bit in SOURCE_BITS.items():
            self.count("retrieve", source, pool.rows[(pool.sources & bit) > 0])

    def count_filters(self, pool: Pool, codes: Ints) -> None:
        """What each filter took out."""
        for code, rule in enumerate(FILTER_RULES, start=1):
            self.count("filter", rule, pool.rows[codes == code])

    def table(self) -> pa.Table:
        """One row per stage and rule, sorted by them."""
        rows = [(stage, rule, *counted) for (stage, rule), counted in sorted(self.counts.items())]
        columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
        return pa.table(dict(zip(FUNNEL_SCHEMA.names, columns, strict=True)), schema=FUNNEL_SCHEMA)


def sampled_listeners(user_id: pa.Array, share: float, minimum: int) -> Bools:
    """(n,) True for a share of the listeners, at least `minimum`: those whose ids have the lowest hashes."""
    count = min(len(user_id), max(minimum, round(share * len(user_id))))
    sampled = np.zeros(len(user_id), dtype=bool)
    sampled[np.argsort(hashes(user_id), kind="stable")[:count]] = True
    return sampled


def hashes(texts: pa.Array) -> Ints:
    """64-bit FNV-1a of the UTF-8 of each text, mixed once more; the same on every machine."""
    texts = pa.concat_arrays([texts.cast(pa.large_binary())])
    _, offset_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer else np.empty(0, dtype=np.uint8)
    lengths = np.diff(offsets)
    result = np.full(len(texts), _FNV_OFFSET, dtype=np.uint64)
    for place in range(int(lengths.max(initial=0))):
        longer = lengths > place
        result[longer] = (result[longer] ^ data[offsets[:-1][longer] + place]) * _FNV_PRIME
    result ^= result >> np.uint64(33)
    return (result * np.uint64(0xFF51AFD7ED558CCD)) ^ (result >> np.uint64(29))


def rejected_table(listeners: Ints, pool: Pool, codes: Ints) -> pa.Table:
    """Rejected candidates, with the rank each would have had among what passed (REJECTED_SCHEMA)."""
    order = np.lexsort((pool.recordings, -pool.scores, pool.rows))
    rows, passed = pool.rows[order], codes[order] == 0
    before = np.cumsum(passed) - passed
    starts = np.searchsorted(rows, rows, side="left")
    rank = before - before[starts] + 1 if len(rows) else before
    out = np.flatnonzero(~passed)
    rules = np.array(["", *FILTER_RULES], dtype=object)[codes[order][out]]
    columns = {
        "user_index": listeners[rows[out]].astype(np.int32),
        "recording_index": pool.recordings[order][out].astype(np.int32),
        "rule_id": pa.array(rules, pa.string()),
        "stage": pa.array(["filter"] * len(out), pa.string()),
        "counterfactual_rank": rank[out].astype(np.int32),
    }
    table = pa.table(columns, schema=REJECTED_SCHEMA)
    return table.sort_by([("user_index", "ascending"), ("recording_index", "ascending")])
