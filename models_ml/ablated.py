"""Ablated lists: the best candidates by one family of the score alone, and by all families but one.

Belongs here: those lists, of the listeners of a sample, from a pool that was scored for their playlists anyway.
Does not: the families (ranking.py), rules and caps, what the lists are worth (evaluation/).

Both rank the candidates that all signals together brought: what a family adds to the search is not taken out with it.
A family alone lists what it says anything of, so that a list may be short, or empty; personal candidates stand before
those that are popular in their stead, as in every ranking.
"""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models_ml.arrays import Bools, Floats, Ints
from models_ml.assembly import PLAYLIST_LENGTH
from models_ml.evaluation.ablation import ALONE, WITHOUT
from models_ml.pools import Pool
from models_ml.slates import RankedPool, best_first_grid

ABLATED_SCHEMA = pa.schema(
    {"user_index": pa.int32(), "model": pa.string(), "position": pa.int32(), "recording_index": pa.int32()}
)
ORDER = [("user_index", "ascending"), ("model", "ascending"), ("position", "ascending")]


def ablated_table(listeners: Ints, ranked: RankedPool, rows: Ints, sampled: Bools) -> pa.Table:
    """The lists of the sampled listeners among these rows (ABLATED_SCHEMA, sorted).

    listeners: (b,).  rows: of the block.  sampled: (n,) by listener.
    """
    chosen = rows[sampled[listeners[rows]]]
    if not len(chosen):
        return ABLATED_SCHEMA.empty_table()
    pool, kept = _of_rows(ranked.pool, chosen, len(listeners))
    components, personal = ranked.components.take(kept), ranked.personal[kept]
    owners, nothing = listeners[chosen], np.zeros(len(kept))
    tables = []
    for family, part in components.each().items():
        says = part != 0
        tables.append(_best(ALONE + family, owners, pool.where(says), part[says], personal[says]))
        others = replace(components, **{family: nothing}).final
        tables.append(_best(WITHOUT + family, owners, pool, others, personal))
    return pa.concat_tables(tables).sort_by(ORDER)


def spoken_for(table: pa.Table) -> pa.Table:
    """The lists of the families that said anything of anyone: without one that is silent, nothing is missing."""
    alone = [name for name in pc.unique(table["model"]).to_pylist() if name.startswith(ALONE)]
    names = [*alone, *(WITHOUT + name.removeprefix(ALONE) for name in alone)]
    return table.filter(pc.is_in(table["model"], pa.array(names, pa.string())))


def _of_rows(pool: Pool, rows: Ints, row_count: int) -> tuple[Pool, Ints]:
    """(the pool of some of its rows, ascending, which become 0, 1, 2, ..., places of its candidates in the whole)."""
    place = np.full(row_count, -1)
    place[rows] = np.arange(len(rows))
    kept = np.flatnonzero(place[pool.rows] >= 0)
    return Pool(place[pool.rows[kept]], pool.recordings[kept], pool.scores[kept], pool.sources[kept]), kept


def _best(model: str, owners: Ints, pool: Pool, score: Floats, personal: Bools) -> pa.Table:
    """The thirty best of each listener.  owners: (s,) listener of each row of the pool."""
    grid, valid = best_first_grid(pool, score, personal, len(owners))
    row, place = np.nonzero(valid[:, :PLAYLIST_LENGTH])
    columns = {
        "user_index": owners[row].astype(np.int32),
        "model": pa.array([model] * len(row), pa.string()),
        "position": (place + 1).astype(np.int32),
        "recording_index": pool.recordings[grid[row, place]].astype(np.int32),
    }
    return pa.table(columns, schema=ABLATED_SCHEMA)
