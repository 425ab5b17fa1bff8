"""Makers by group: the lists of a block of listeners, each made as its listener's group has them.

Belongs here: parting blocks by group and putting the tables together again. Does not: making lists (playlists.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import pyarrow as pa

from models_ml.arrays import Ints
from models_ml.playlist_tables import PlaylistTables, by_listener
from models_ml.playlists import PlaylistMaker
from models_ml.pools import Pool
from models_ml.takedown import ListMender, Mended

_IN_ORDER = [("user_index", "ascending"), ("position", "ascending")]
_BY_STEP = [("user_index", "ascending"), ("step", "ascending")]


class GroupMaker:
    """Makes playlists as a PlaylistMaker does, by the maker of each listener's group."""

    def __init__(self, makers: Sequence[PlaylistMaker], group: Ints) -> None:
        """makers: of each group.  group: (n,) place in makers of each listener."""
        self._makers = makers
        self._group = group

    @property
    def listener_count(self) -> int:
        """Listeners of the week."""
        return self._makers[0].listener_count

    @property
    def workers(self) -> int:
        """Blocks made side by side."""
        return self._makers[0].workers

    def batch(self, batch: pa.RecordBatch) -> tuple[PlaylistTables, Ints]:
        """(playlists, user_index) of one batch of the candidates table."""
        listeners = batch.column("user_index").to_numpy().astype(np.int64)
        if not len(listeners):
            return self._makers[0].batch(batch)
        made = [
            self._makers[group].batch(batch.take(pa.array(rows)))[0] for group, rows in _parted(self._group[listeners])
        ]
        if len(made) == 1:
            return made[0], listeners
        whole = reduce(by_listener, made)
        return replace(whole, relaxations=whole.relaxations.sort_by(_BY_STEP)), listeners


class GroupMender:
    """Mends playlists as a ListMender does, by the mender of each listener's group."""

    def __init__(self, menders: Sequence[ListMender], group: Ints) -> None:
        """menders: of each group.  group: (n,) place in menders of each listener."""
        self._menders = menders
        self._group = group

    def mended(self, slots: pa.Table, listeners: Ints, pool: Pool) -> Mended:
        """See ListMender.mended."""
        row_of_slot = np.searchsorted(listeners, slots["user_index"].to_numpy())
        parts = []
        for group, rows in _parted(self._group[listeners]):
            theirs = pool.where(np.isin(pool.rows, rows))
            theirs = replace(theirs, rows=np.searchsorted(rows, theirs.rows))
            some = slots.filter(pa.array(np.isin(row_of_slot, rows)))
            parts.append(self._menders[group].mended(some, listeners[rows], theirs))
        slots, relaxations, mixes = (
            pa.concat_tables([getattr(part, name) for part in parts]) for name in ("slots", "relaxations", "mixes")
        )
        return Mended(slots.sort_by(_IN_ORDER), relaxations.sort_by(_BY_STEP), mixes.sort_by("user_index"))


def _parted(group: Ints) -> Iterator[tuple[int, Ints]]:
    """(group, rows) of each group that is there, rows ascending."""
    for number in np.unique(group):
        yield int(number), np.flatnonzero(group == number)
