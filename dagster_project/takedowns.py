"""Takedowns of published tracks: the landing file, what a week remembers of them, its lists without them.

Belongs here: glue between landing, manifest, lake and models_ml/takedown.py. Does not: what fills a slot, the command
(cli_takedown.py).

A week's list of files is fixed, so a takedown made since isn't among them: the manifest names it, and a run of the
week again makes the lists of its files and then takes out, in the order in which it was done, what was taken down.
"""

import csv
import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.home import Home
from dagster_project.lake import Lake
from dagster_project.manifest import read_manifest
from dagster_project.table_schemas import CANDIDATES, SLOTS
from models_ml.arrays import Bools, Ints
from models_ml.errors import InputError
from models_ml.experiments.makers import GroupMender
from models_ml.landing.storage import replace_file, replacing
from models_ml.playlist_tables import SLOTS_SCHEMA
from models_ml.pools import from_batch
from models_ml.takedown import ListMender, Mended, concerned, with_mended

RELAXATIONS, MIXES, EDITIONS = "ml/relaxations", "ml/playlist_mixes", "features/editions"
_COLUMNS = ("track_id", "artist_id", "action", "valid_from", "valid_to")
_BEGUN = "takedown_begun.json"
_ROWS_AT_ONCE = 1 << 18

Mender = Callable[[Bools], ListMender | GroupMender]


@dataclass(frozen=True)
class Takedown:
    """One track, or whatever an artist is credited on, and when the takedown holds: ISO moments, UTC."""

    track_id: str | None = None
    artist_id: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None

    @property
    def file_name(self) -> str:
        """Its landing file: the same takedown has the same."""
        digest = hashlib.sha256(repr(dataclasses.astuple(self)).encode()).hexdigest()[:16]
        return f"overrides/takedown-{digest}.csv"

    def holds_at(self, moment: dt.datetime) -> bool:
        """Whether it is in force at a moment, naive UTC."""
        begins = self.valid_from is None or dt.datetime.fromisoformat(self.valid_from) <= moment
        return begins and (self.valid_to is None or dt.datetime.fromisoformat(self.valid_to) > moment)

    def takes(self, editions: pa.Table) -> Bools:
        """(e,) True for the editions it takes out."""
        if self.track_id is not None:
            return np.asarray(pc.equal(editions["track_id"], self.track_id).to_numpy())
        credits = editions["artist_ids"].combine_chunks()
        found = pc.equal(pc.list_flatten(credits), self.artist_id).to_numpy(zero_copy_only=False)
        taken = np.zeros(len(editions), dtype=bool)
        taken[pc.list_parent_indices(credits).to_numpy()[found]] = True
        return taken


def land(home: Home, takedown: Takedown) -> Path:
    """Write its landing file, whole; one that is there stays."""
    path = home.landing / takedown.file_name
    if path.exists():
        return path
    row = [takedown.track_id, takedown.artist_id, "takedown", takedown.valid_from, takedown.valid_to]
    with replacing(path) as beside, open(beside, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_COLUMNS, row])
    return path


def recorded(home: Home, week: dt.date) -> list[Takedown]:
    """Takedowns that changed a week's lists after they were made, in that order."""
    manifest = read_manifest(home, week) or {}
    return [Takedown(**{name: row[name] for name in _names()}) for row in manifest.get("takedowns", [])]


def begin(home: Home, week: dt.date, takedown: Takedown) -> None:
    """Note which takedown changes a week's tables, so that the same one, killed, is completed and no other is."""
    manifest = read_manifest(home, week) or {}
    note = {"of": manifest.get("hash"), "takedown": dataclasses.asdict(takedown)}
    replace_file(home.models(week) / _BEGUN, json.dumps(note).encode())


def is_begun(home: Home, week: dt.date, takedown: Takedown) -> bool:
    """Whether this takedown was killed after it began to change the week, which is what it was then."""
    path, manifest = home.models(week) / _BEGUN, read_manifest(home, week) or {}
    note = {"of": manifest.get("hash"), "takedown": dataclasses.asdict(takedown)}
    return path.exists() and json.loads(path.read_text(encoding="utf-8")) == note


def as_recorded(takedowns: Sequence[Takedown]) -> list[dict[str, str | None]]:
    """As the manifest keeps them."""
    return [{"path": takedown.file_name, **dataclasses.asdict(takedown)} for takedown in takedowns]


def _names() -> list[str]:
    return [field.name for field in dataclasses.fields(Takedown)]


def mend_week(lake: Lake, week: dt.date, mender: Mender, takedowns: Sequence[Takedown], done: int = 0) -> int:
    """Take the tracks of the takedowns out of a week's lists, one takedown after the other; the first `done` are.

    Returns how many lists changed. The slots are written last: until they are, doing it again gives the same.
    """
    if len(takedowns) == done:
        return 0
    editions = lake.read_week(EDITIONS, week, ["track_id", "artist_ids"])
    taken = np.zeros(len(editions), dtype=bool)
    changed: set[int] = set()
    for number, takedown in enumerate(takedowns):
        taken |= takedown.takes(editions)
        if number >= done:
            changed.update(_mend_once(lake, week, mender, taken))
    return len(changed)


def _mend_once(lake: Lake, week: dt.date, mender: Mender, taken: Bools) -> list[int]:
    if pq.read_schema(lake.path(SLOTS, week)).names != SLOTS_SCHEMA.names:
        raise InputError(f"lake table {SLOTS}: week {week} was made by older code; run it again first")
    listeners = concerned(lake.read_week(SLOTS, week, ["user_index", "edition_index"]), taken)
    if not len(listeners):
        return []
    theirs = pa.concat_tables(_rows_of(lake, SLOTS, week, listeners))
    parts = list(_mended(lake, week, mender(taken), theirs, listeners))
    slots, relaxations, mixes = (
        pa.concat_tables([getattr(part, name) for part in parts]) for name in ("slots", "relaxations", "mixes")
    )
    lake.replace_week(RELAXATIONS, week, with_mended(lake.read_week(RELAXATIONS, week), relaxations, listeners))
    old_mixes = lake.read_week(MIXES, week)
    others = old_mixes.filter(pc.invert(_is_of(old_mixes, listeners)))
    lake.replace_week(MIXES, week, pa.concat_tables([others, mixes]).sort_by("user_index"))
    with lake.writing(SLOTS, week, SLOTS_SCHEMA) as keep:
        for rows in _spliced(lake, week, slots, listeners):
            keep(rows)
    return [int(listener) for listener in listeners]


def _mended(
    lake: Lake, week: dt.date, mender: ListMender | GroupMender, slots: pa.Table, listeners: Ints
) -> Iterator[Mended]:
    """The lists of these listeners, a batch of the candidates at a time."""
    for rows in _rows_of(lake, CANDIDATES, week, listeners, at_once=2048):
        for batch in rows.combine_chunks().to_batches():
            some, pool = from_batch(batch)
            yield mender.mended(slots.filter(_is_of(slots, some)), some, pool)


def _rows_of(
    lake: Lake, table: str, week: dt.date, listeners: Ints, at_once: int = _ROWS_AT_ONCE
) -> Iterator[pa.Table]:
    for batch in lake.batches(table, week, at_once):
        rows = pa.Table.from_batches([batch])
        yield rows.filter(_is_of(rows, listeners))


def _spliced(lake: Lake, week: dt.date, mended: pa.Table, listeners: Ints) -> Iterator[pa.Table]:
    """The week's slots with these lists in place of what they were, by listener and position as before."""
    written, owner = 0, mended["user_index"].to_numpy()
    for batch in lake.batches(SLOTS, week, _ROWS_AT_ONCE):
        rows = pa.Table.from_batches([batch])
        last = rows["user_index"][-1].as_py() if len(rows) else -1
        upto = int(np.searchsorted(owner, last, side="right"))
        kept = rows.filter(pc.invert(_is_of(rows, listeners)))
        whole = pa.concat_tables([kept, mended.slice(written, max(0, upto - written))])
        written = max(written, upto)
        yield whole.sort_by([("user_index", "ascending"), ("position", "ascending")])


def _is_of(rows: pa.Table, listeners: Ints) -> pa.ChunkedArray:
    return pc.is_in(rows["user_index"], pa.array(listeners, pa.int32()))
